package main

import "runtime"

// garbageBytes is how much may be allocated before Quiesce collects. Each collection touches every page of the heap, and
// each page touched is shipped; without any, every wake would take fresh pages for good, and an actor's snapshots would
// grow with its age.
const garbageBytes = 4 << 20

// garbage collects at the one moment when nobody waits for anything else: right before the VM is frozen.
type garbage struct{ allocatedBefore uint64 }

func (g *garbage) collectIfWorthwhile() {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	if stats.TotalAlloc-g.allocatedBefore < garbageBytes {
		return
	}
	g.allocatedBefore = stats.TotalAlloc
	runtime.GC()
}
