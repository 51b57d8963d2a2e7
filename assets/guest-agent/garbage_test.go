package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

var kept []byte

func collections() uint32 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.NumGC
}

func TestGarbageIsCollectedOnlyWhenThereIsEnough(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var g garbage
	kept = make([]byte, 2*garbageBytes)
	before := collections()
	g.collectIfWorthwhile()
	if collections() != before+1 {
		t.Error("much was allocated, and nothing collected")
	}
	kept = make([]byte, garbageBytes/4)
	g.collectIfWorthwhile()
	if collections() != before+1 {
		t.Error("little was allocated, and it was collected")
	}
}
