package port

import (
	"fmt"
	"syscall"
	"time"
)

// absenceNap is how often a stream looks for a host that is not there: only between a guest's boot and the host's first
// connection, for the host stays connected from then on, frozen or not.
const absenceNap = 5 * time.Millisecond

// Stream is a port read and written as it is, without connections: bytes come while a host is there, and a host that
// left is waited for. For messages that must find their reader already waiting: its thread waits in the read itself, and
// not in the runtime's poller, which is a long way round for a guest whose every step is translated anew.
type Stream struct{ descriptor int }

// OpenStream opens the port at path.
func OpenStream(path string) (*Stream, error) {
	descriptor, err := syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &Stream{descriptor: descriptor}, nil
}

// Read waits for at least one byte.
func (s *Stream) Read(into []byte) (int, error) {
	for {
		count, err := retryInterrupted(func() (int, error) { return syscall.Read(s.descriptor, into) })
		if count != 0 || err != nil {
			return max(count, 0), err
		}
		time.Sleep(absenceNap)
	}
}

// Write writes all of it. Without a host it waits for one.
func (s *Stream) Write(from []byte) (int, error) {
	written := 0
	for written < len(from) {
		count, err := retryInterrupted(func() (int, error) { return syscall.Write(s.descriptor, from[written:]) })
		if err != nil {
			return written, err
		}
		written += count
	}
	return written, nil
}
