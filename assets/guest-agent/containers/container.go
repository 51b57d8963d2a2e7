package containers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"

	"dormouse/guest-agent/agentpb"
)

// An initramfs root cannot be pivoted; the VM is the boundary, so a container moves its root mount instead.
const noPivot = "--no-pivot"

// container is one run of crun. Its fields are set once; exited closes after exitCode is set.
type container struct {
	name     string
	paths    paths
	spec     *agentpb.Container
	journal  *Journal
	log      *book
	process  *exec.Cmd
	exited   chan struct{}
	exitCode int
	ready    atomic.Bool
}

// failure is why a container did not come up, in the words of the protocol.
type failure struct {
	code      string
	container string
	cause     error
}

func (f *failure) Error() string { return f.cause.Error() }

func startFailed(name string, err error) *failure {
	return &failure{code: "container-start-failed", container: name, cause: err}
}

// launch builds the container's root and starts crun.
func launch(spec *agentpb.Container, journal *Journal) (*container, error) {
	c := &container{name: spec.GetName(), paths: pathsOf(spec.GetName()), spec: spec, journal: journal, exited: make(chan struct{})}
	if err := os.MkdirAll(c.paths.bundle, 0o700); err != nil {
		return nil, startFailed(c.name, err)
	}
	if err := mountRoot(c.paths, spec.GetUpperSizeBytes()); err != nil {
		unmountRoot(c.paths)
		return nil, startFailed(c.name, err)
	}
	if err := writeBundle(c.paths, spec.GetOciConfigJson()); err != nil {
		unmountRoot(c.paths)
		return nil, startFailed(c.name, err)
	}
	if err := c.run(); err != nil {
		unmountRoot(c.paths)
		return nil, startFailed(c.name, err)
	}
	return c, nil
}

func (c *container) run() error {
	// crun's own complaints go to a file of their own: they tell a container that ended from one that never began.
	c.process = Crun(context.Background(), "--log", c.crunLog(), "--cgroup-manager", "cgroupfs", "run", noPivot,
		"--bundle", c.paths.bundle, "--pid-file", c.pidFile(), c.paths.id)
	c.log = c.journal.open(c.name)
	output := &lineWriter{journal: c.journal, book: c.log}
	errorOutput := &lineWriter{journal: c.journal, book: c.log, isError: true}
	c.process.Stdout, c.process.Stderr = output, errorOutput
	if err := c.process.Start(); err != nil {
		c.journal.forget(c.log)
		return err
	}
	go func() {
		err := c.process.Wait()
		output.flush()
		errorOutput.flush()
		c.exitCode = exitCode(err)
		close(c.exited)
	}()
	return nil
}

func (c *container) crunLog() string { return c.paths.bundle + "/crun.log" }
func (c *container) pidFile() string { return c.paths.bundle + "/pid" }

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode()
	default:
		return 255
	}
}

func (c *container) running() bool {
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}

// executes tells whether crun has handed the container's first process over to the container's own program.
func (c *container) executes() bool {
	pid, err := os.ReadFile(c.pidFile())
	if err != nil || len(bytes.TrimSpace(pid)) == 0 {
		return false
	}
	program, err := os.Stat("/proc/" + string(bytes.TrimSpace(pid)) + "/exe")
	if err != nil {
		return false
	}
	runtime, err := os.Stat(fmt.Sprintf("/proc/%d/exe", c.process.Process.Pid))
	return err == nil && !os.SameFile(program, runtime)
}

// exitFailure says why a container that should run does not.
func (c *container) exitFailure() *failure {
	if complaint := CrunError(c.crunLog()); complaint != "" {
		return startFailed(c.name, errors.New(complaint))
	}
	return &failure{code: "container-exited", container: c.name,
		cause: fmt.Errorf("the container exited with %d before it became ready", c.exitCode)}
}

// CrunError returns the last error that crun logged, without its timestamp.
func CrunError(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	last := ""
	for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); line != "" {
			last = line
		}
	}
	if _, message, found := strings.Cut(last, ": "); found && strings.Contains(last[:len(last)-len(message)], "T") {
		return message
	}
	return last
}

// remove ends the container and takes its root apart, so that the next Start begins anew.
func (c *container) remove(ctx context.Context) {
	_ = Crun(ctx, "--cgroup-manager", "cgroupfs", "delete", "--force", c.paths.id).Run()
	select {
	case <-c.exited:
	case <-ctx.Done():
		_ = c.process.Process.Kill()
	}
	unmountRoot(c.paths)
	c.journal.forget(c.log)
	_ = os.Remove(c.crunLog())
	_ = os.Remove(c.pidFile())
}

func (c *container) state(tailLines int) *agentpb.ContainerState {
	state := &agentpb.ContainerState{Name: c.name, Running: c.running(), LogTail: c.journal.tail(c.log, tailLines),
		UpperUsedBytes: usedBytes(c.paths.writes)}
	if !state.GetRunning() {
		state.ExitCode = int32(c.exitCode)
	}
	return state
}
