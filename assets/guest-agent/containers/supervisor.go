// Package containers runs the containers of an actor: an overlay root each, crun, readiness, and what happens when one
// ends.
//
// A container that ends before all are ready makes Start fail. One that ends afterwards makes the actor's memory
// meaningless: the guest says so on its console and powers off, and the actor falls back to its last generation.
package containers

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"dormouse/guest-agent/agentpb"
)

// maxStart bounds a whole Start, whatever the request says.
const maxStart = 30 * time.Second

// removeLimit bounds the removal of what a failed Start left.
const removeLimit = 5 * time.Second

// Supervisor owns the containers of this guest.
type Supervisor struct {
	// OnExit is called once, when a container ends after all had become ready.
	OnExit func(name string, exitCode int, log string)
	// Journal has what the containers write.
	Journal Journal

	starting   sync.Mutex // one Start at a time
	mutex      sync.Mutex // guards what follows
	containers []*container
	ready      bool
}

// Start runs what is asked for and returns when all of it is ready, or with what went wrong; the same request again
// changes nothing. After a failure everything stays as it is, to be looked at; the next Start removes it.
func (s *Supervisor) Start(ctx context.Context, request *agentpb.StartRequest) *agentpb.StartFailure {
	s.starting.Lock()
	defer s.starting.Unlock()
	ctx, cancel := context.WithTimeout(ctx, startLimit(request.GetTimeoutMs()))
	defer cancel()
	if s.runs(request.GetContainers()) {
		return nil
	}
	s.clear()
	if err := s.startAll(ctx, request.GetContainers()); err != nil {
		return describe(err)
	}
	s.watch()
	return nil
}

// States describes each container, with the last lines of its log.
func (s *Supervisor) States(tailLines int) []*agentpb.ContainerState {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	states := make([]*agentpb.ContainerState, 0, len(s.containers))
	for _, c := range s.containers {
		states = append(states, c.state(tailLines))
	}
	return states
}

func startLimit(milliseconds uint32) time.Duration {
	limit := time.Duration(milliseconds) * time.Millisecond
	if limit == 0 || limit > maxStart {
		return maxStart
	}
	return limit
}

func (s *Supervisor) startAll(ctx context.Context, specs []*agentpb.Container) error {
	if err := os.MkdirAll(IdentityDir, 0o755); err != nil {
		return err
	}
	if err := mountLower(); err != nil {
		return err
	}
	for _, spec := range specs {
		c, err := launch(spec, &s.Journal)
		if err != nil {
			return err
		}
		s.mutex.Lock()
		s.containers = append(s.containers, c)
		s.mutex.Unlock()
	}
	return s.awaitAll(ctx)
}

// awaitAll waits for every container, and fails with the first that fails or ends: the others may depend on it.
func (s *Supervisor) awaitAll(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan error, 2*len(s.containers))
	for _, c := range s.containers {
		go func() {
			results <- c.awaitReady(ctx)
			select {
			case <-c.exited:
				results <- c.exitFailure()
			case <-ctx.Done():
			}
		}()
	}
	for range s.containers {
		if err := <-results; err != nil {
			return err
		}
	}
	return nil
}

// watch reports the first container that ends from now on.
func (s *Supervisor) watch() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.ready = true
	for _, c := range s.containers {
		go func() {
			<-c.exited
			s.mutex.Lock()
			report := s.ready
			s.ready = false
			s.mutex.Unlock()
			if report {
				s.OnExit(c.name, c.exitCode, s.Journal.tail(c.log, exitLogLines))
			}
		}()
	}
}

// exitLogLines of a container go to the console when it ends: the serial log is a file on the host.
const exitLogLines = 40

func (s *Supervisor) runs(specs []*agentpb.Container) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !s.ready || len(specs) != len(s.containers) {
		return false
	}
	for index, c := range s.containers {
		if !c.running() || !proto.Equal(c.spec, specs[index]) {
			return false
		}
	}
	return true
}

func (s *Supervisor) clear() {
	s.mutex.Lock()
	old := s.containers
	s.containers, s.ready = nil, false
	s.mutex.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), removeLimit)
	defer cancel()
	for _, c := range old {
		c.remove(ctx)
	}
}

func describe(err error) *agentpb.StartFailure {
	known, ok := err.(*failure)
	if !ok {
		known = startFailed("", err)
	}
	message := known.Error()
	if known.container != "" {
		message = fmt.Sprintf("container %s: %s", known.container, message)
	}
	return &agentpb.StartFailure{Code: known.code, Container: known.container, Message: message}
}

func usedBytes(mount string) uint64 {
	var stat unix.Statfs_t
	if unix.Statfs(mount, &stat) != nil {
		return 0
	}
	return (stat.Blocks - stat.Bfree) * uint64(stat.Bsize)
}
