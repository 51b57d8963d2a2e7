package main

import (
	"context"
	"runtime"
	"sync"
	"time"
)

const (
	// endLimit is for a session whose host does not speak any more: the guest must freeze all the same.
	endLimit = 3 * time.Second
	// collectEveryBytes of a transfer: without collections, one large file would dirty memory up to the agent's limit.
	collectEveryBytes = 8 << 20
)

// sessions are the programs and file transfers under way. Quiesce ends them: nothing of the agent may be under way in a
// frozen guest. The host has ended its side before; this is what that takes to be heard.
type sessions struct {
	mutex  sync.Mutex
	cancel map[int]context.CancelFunc
	next   int
	left   chan struct{} // closed when the last one leaves, if somebody waits
	moved  int
}

// enter returns a context that ends with the session at the latest, and what to call then.
func (s *sessions) enter(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.cancel == nil {
		s.cancel = map[int]context.CancelFunc{}
	}
	number := s.next
	s.next++
	s.cancel[number] = cancel
	return ctx, func() {
		cancel()
		s.leave(number)
	}
}

func (s *sessions) leave(number int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.cancel, number)
	if len(s.cancel) == 0 && s.left != nil {
		close(s.left)
		s.left = nil
	}
}

// end waits until all have left, and tells whether they did.
func (s *sessions) end() bool {
	s.mutex.Lock()
	if len(s.cancel) == 0 {
		s.mutex.Unlock()
		return true
	}
	for _, cancel := range s.cancel {
		cancel()
	}
	if s.left == nil {
		s.left = make(chan struct{})
	}
	left := s.left
	s.mutex.Unlock()
	select {
	case <-left:
		return true
	case <-time.After(endLimit):
		return false
	}
}

// count is told of every piece that a session moves.
func (s *sessions) count(bytes int) {
	s.mutex.Lock()
	s.moved += bytes
	collect := s.moved >= collectEveryBytes
	if collect {
		s.moved = 0
	}
	s.mutex.Unlock()
	if collect {
		runtime.GC()
	}
}
