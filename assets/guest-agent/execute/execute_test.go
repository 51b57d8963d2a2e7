package execute

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"dormouse/guest-agent/agentpb"
)

func TestDescribeKeepsWhoTheContainerIs(t *testing.T) {
	container := map[string]json.RawMessage{
		"user": json.RawMessage(`{"uid":7}`), "cwd": json.RawMessage(`"/app"`), "args": json.RawMessage(`["old"]`),
		"env": json.RawMessage(`["PATH=/bin","A=1"]`), "noNewPrivileges": json.RawMessage(`true`),
	}
	described, err := describe(container, &agentpb.ExecStart{Command: []string{"ls", "-l"}, Environment: []string{"A=2", "B="}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"args":["ls","-l"],"cwd":"/app","env":["PATH=/bin","A=2","B="],"noNewPrivileges":true,"terminal":false,"user":{"uid":7}}`
	if string(described) != want {
		t.Errorf("described %s", described)
	}
	if string(container["args"]) != `["old"]` {
		t.Error("the container's own process was changed")
	}
}

func TestATerminalHasItsKindAndAWorkingFolder(t *testing.T) {
	described, err := describe(nil, &agentpb.ExecStart{Command: []string{"sh"}, Terminal: true, WorkingFolder: "/tmp",
		Environment: []string{"TERM=vt100"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"args":["sh"],"cwd":"/tmp","env":["TERM=vt100"],"terminal":true}`; string(described) != want {
		t.Errorf("described %s", described)
	}
}

// slow takes output only when it is let.
type slow struct {
	bytes.Buffer
	gate chan struct{}
}

func (s *slow) Write(chunk []byte) (int, error) {
	<-s.gate
	return s.Buffer.Write(chunk)
}

func TestOutputIsWholeThoughItsTakerIsSlowAndAChildHoldsThePipe(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	// The child outlives its parent and holds the pipe; what the parent wrote fits into the pipe.
	process := exec.Command("sh", "-c", "sleep 30 & echo $! >&2; seq 1 9000")
	var child bytes.Buffer
	process.Stdout, process.Stderr = write, &child
	process.WaitDelay = 100 * time.Millisecond
	taker := &slow{gate: make(chan struct{})}
	copied := make(chan struct{})
	go func() {
		copyOutput(taker, read)
		close(copied)
	}()
	_ = process.Run()
	write.Close()
	defer exec.Command("kill", strings.TrimSpace(child.String())).Run()
	endOutput(read)
	time.AfterFunc(2*outputGrace, func() { close(taker.gate) })
	select {
	case <-copied:
	case <-time.After(20 * time.Second):
		t.Fatal("the output does not end while the child lives")
	}
	lines := strings.Fields(taker.String())
	if len(lines) != 9000 || lines[8999] != "9000" {
		t.Fatalf("%d lines came", len(lines))
	}
}

func TestVariablesAreReplaced(t *testing.T) {
	got := withVariables([]string{"A=1", "B=2", "AB=3"}, []string{"A=4", "C"})
	if want := []string{"B=2", "AB=3", "A=4", "C"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
