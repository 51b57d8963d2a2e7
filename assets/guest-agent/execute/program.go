// Package execute runs one more program in a container, with pipes or with a terminal, by crun exec.
//
//	started ──► runs ──► ended: its exit code
//	   │          └─ the caller's context ends: killed
//	   └─ crun could not start it: an Error with its words
package execute

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"dormouse/guest-agent/agentpb"
	"dormouse/guest-agent/containers"
)

// A program's children may hold its output open after it has ended; what it wrote itself has come by then.
const outputGrace = 500 * time.Millisecond

// Error says why a program did not start.
type Error struct{ words string }

func (e *Error) Error() string { return e.words }

// Program is one that runs. Its output goes to the Output that it was started with.
type Program struct {
	process  *exec.Cmd
	input    io.WriteCloser
	terminal *terminal
	outputs  []*os.File // our sides of the pipes
	copying  sync.WaitGroup
	files    scratch
	ended    chan struct{}
	exitCode int
	failure  error
}

// Output takes what a program writes; it may block, and then the program waits. Each is written to by one goroutine.
type Output struct{ Normal, Error io.Writer }

// scratch are the files of one run, beside the container's bundle.
type scratch struct{ process, pid, log, socket string }

var counter atomic.Uint64

func scratchIn(bundle string) scratch {
	prefix := fmt.Sprintf("%s/exec-%d.", bundle, counter.Add(1))
	return scratch{process: prefix + "json", pid: prefix + "pid", log: prefix + "log", socket: prefix + "sock"}
}

func (s scratch) remove() {
	for _, file := range []string{s.process, s.pid, s.log, s.socket} {
		_ = os.Remove(file)
	}
}

// Start runs what is asked for. Ending the context kills it.
func Start(ctx context.Context, target *containers.Target, request *agentpb.ExecStart, output Output) (*Program, error) {
	p := &Program{files: scratchIn(target.Bundle), ended: make(chan struct{})}
	description, err := describe(target.Process, request)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(p.files.process, description, 0o600); err != nil {
		return nil, err
	}
	if err := p.start(target, request, output); err != nil {
		p.files.remove()
		return nil, err
	}
	go p.await()
	go func() {
		select {
		case <-ctx.Done():
			p.kill()
		case <-p.ended:
		}
	}()
	return p, nil
}

func (p *Program) start(target *containers.Target, request *agentpb.ExecStart, output Output) error {
	arguments := []string{"--log", p.files.log, "--cgroup-manager", "cgroupfs", "exec",
		"--process", p.files.process, "--pid-file", p.files.pid}
	if !request.GetTerminal() {
		p.process = containers.Crun(context.Background(), append(arguments, target.ID)...)
		return p.startWithPipes(output)
	}
	p.process = containers.Crun(context.Background(), append(arguments, "--tty", "--console-socket", p.files.socket, target.ID)...)
	var err error
	if p.terminal, err = listenForTerminal(p.files.socket, request.GetSize(), output.Normal); err != nil {
		return err
	}
	p.input = p.terminal
	if err := p.process.Start(); err != nil {
		p.terminal.close()
		return err
	}
	return nil
}

func (p *Program) startWithPipes(output Output) error {
	normal, normalEnd, err := os.Pipe()
	if err != nil {
		return err
	}
	defer normalEnd.Close()
	errorOutput, errorEnd, err := os.Pipe()
	if err != nil {
		normal.Close()
		return err
	}
	defer errorEnd.Close()
	p.outputs = []*os.File{normal, errorOutput}
	p.process.Stdout, p.process.Stderr = normalEnd, errorEnd
	if p.input, err = p.process.StdinPipe(); err == nil {
		err = p.process.Start()
	}
	if err != nil {
		p.closeOutputs()
		return err
	}
	p.copy(output.Normal, normal)
	p.copy(output.Error, errorOutput)
	return nil
}

func (p *Program) copy(to io.Writer, from *os.File) {
	p.copying.Add(1)
	go func() {
		defer p.copying.Done()
		copyOutput(to, from)
	}()
}

func (p *Program) closeOutputs() {
	for _, file := range p.outputs {
		_ = file.Close()
	}
}

// await runs until the program has ended and its output was handed over.
func (p *Program) await() {
	err := p.process.Wait()
	if p.terminal != nil {
		p.terminal.finish()
	}
	for _, file := range p.outputs {
		endOutput(file)
	}
	p.copying.Wait()
	p.closeOutputs()
	p.exitCode = p.process.ProcessState.ExitCode()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.failure = err
	}
	if words := containers.CrunError(p.files.log); words != "" && p.exitCode != 0 {
		p.failure = &Error{words: words}
	}
	p.files.remove()
	close(p.ended)
}

// Wait returns the exit code, or why there is none.
func (p *Program) Wait() (int, error) {
	<-p.ended
	if p.exitCode < 0 && p.failure == nil {
		return 128 + int(unix.SIGKILL), nil // crun itself was killed
	}
	return p.exitCode, p.failure
}

// Ended closes when the program has ended.
func (p *Program) Ended() <-chan struct{} { return p.ended }

// Write gives the program input; it blocks while the program does not read.
func (p *Program) Write(input []byte) error {
	_, err := p.input.Write(input)
	return err
}

// EndInput lets the program see the end of its input. A terminal has none: there it is what Ctrl-D does.
func (p *Program) EndInput() error {
	if p.terminal != nil {
		return nil
	}
	return p.input.Close()
}

// Resize tells the program's terminal its size; without one it does nothing.
func (p *Program) Resize(size *agentpb.TerminalSize) error {
	if p.terminal == nil {
		return nil
	}
	return p.terminal.resize(size)
}

// kill ends the program and what it started in its own group. Before it has a number, crun itself is ended.
func (p *Program) kill() {
	number, err := os.ReadFile(p.files.pid)
	pid, convertError := strconv.Atoi(string(bytes.TrimSpace(number)))
	if err != nil || convertError != nil || pid <= 1 {
		_ = p.process.Process.Kill()
		return
	}
	_ = unix.Kill(-pid, unix.SIGKILL)
	_ = unix.Kill(pid, unix.SIGKILL)
}
