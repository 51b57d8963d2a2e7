package inspect

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"dormouse/guest-agent/containers"
)

func TestStateAndParentSurviveAStrangeName(t *testing.T) {
	if state, parent := stateAndParent("42 (a ) S 9 (b) R 7 42 42 0"); state != "R" || parent != "7" {
		t.Errorf("%s %s", state, parent)
	}
	if state, parent := stateAndParent(""); state != "?" || parent != "?" {
		t.Errorf("%s %s", state, parent)
	}
}

func TestMemoryAvailable(t *testing.T) {
	if got := memoryAvailable("MemTotal: 10 kB\nMemAvailable:     2048 kB\n"); got != 2<<20 {
		t.Error(got)
	}
	if got := memoryAvailable("nothing"); got != 0 {
		t.Error(got)
	}
}

func TestGuestDescribesWhereItRuns(t *testing.T) {
	reply := Guest(&containers.Supervisor{}, 5)
	if !strings.Contains(reply.GetMounts(), " / ") || reply.GetMemoryAvailableBytes() == 0 {
		t.Errorf("mounts %q, memory %d", reply.GetMounts(), reply.GetMemoryAvailableBytes())
	}
	if !strings.Contains(reply.GetProcesses(), strconv.Itoa(os.Getpid())+" ") {
		t.Errorf("this process is not among %q", reply.GetProcesses())
	}
}

func TestKernelLevelsAreCut(t *testing.T) {
	if got := levels.ReplaceAllString("<6>[ 1.0] a <b>\n<13>c", ""); got != "[ 1.0] a <b>\nc" {
		t.Error(got)
	}
}
