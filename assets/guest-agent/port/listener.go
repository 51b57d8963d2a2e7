// Package port makes a net.Listener of one virtio-serial port, so that gRPC can serve on it.
//
// A port is a single byte stream that knows only "the host is there" and "the host is gone":
//   - A connection begins with the HTTP/2 client preface.
//   - It ends when a read returns 0 bytes (the host went away), or when a preface comes in mid-stream: the host was
//     replaced unseen (a snapshot taken with a client attached, or a reconnect between two reads), and those bytes belong
//     to the next connection.
//
// The port is opened once: the kernel refuses a second open, and a closed port would lose the next client. Waiting takes
// no timer: the kernel wakes the edge-triggered poller on connect, disconnect and data, so an idle agent dirties no memory.
package port

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// clientPreface is what every HTTP/2 client sends first (RFC 9113, 3.4), and never again on that connection.
var clientPreface = []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

// chunkBytes is the size of one virtio-console receive buffer. A read never returns bytes of two buffers, so a preface
// always stands at the beginning of a read.
const chunkBytes = 4096

// Listener accepts one connection at a time.
type Listener struct {
	file   *os.File
	raw    syscall.RawConn
	idle   chan struct{} // holds a token while no connection is open
	closed chan struct{}
	once   sync.Once
	// Owned by the connection, or by Accept while there is none.
	buffer  [chunkBytes]byte
	pending []byte // what of the buffer nobody has read yet
}

// Listen opens the port at path.
func Listen(path string) (*Listener, error) {
	file, _, err := open(path)
	if err != nil {
		return nil, err
	}
	return newListener(file)
}

func open(path string) (*os.File, syscall.RawConn, error) {
	descriptor, err := syscall.Open(path, syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	file := os.NewFile(uintptr(descriptor), path)
	raw, err := file.SyscallConn()
	return file, raw, err
}

func newListener(file *os.File) (*Listener, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	listener := &Listener{file: file, raw: raw, idle: make(chan struct{}, 1), closed: make(chan struct{})}
	listener.idle <- struct{}{}
	return listener, nil
}

// Accept waits for the connection before to end, then for the next one. What a client left unread before is skipped.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.idle:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	for !l.mayStartConnection() {
		if err := l.fill(waitForHost); err != nil {
			return nil, err
		}
	}
	return &conn{listener: l}, nil
}

// Close ends an Accept that waits for its turn. One that waits for the host ends with the process.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr names the port.
func (l *Listener) Addr() net.Addr { return address(l.file.Name()) }

type absence int

const (
	waitForHost absence = iota // no host: wait for one
	endOfStream                // no host: leave pending empty
)

// fill reads one chunk into pending.
func (l *Listener) fill(onAbsence absence) error {
	count, err := readSome(l.raw, l.buffer[:], onAbsence)
	if err == nil {
		l.pending = l.buffer[:count]
	}
	return err
}

// readSome returns 0 bytes only for a host that is absent, and only if that is not waited for.
func readSome(raw syscall.RawConn, into []byte, onAbsence absence) (count int, failure error) {
	err := raw.Read(func(descriptor uintptr) bool {
		count, failure = retryInterrupted(func() (int, error) { return syscall.Read(int(descriptor), into) })
		return failure != syscall.EAGAIN && !(failure == nil && count == 0 && onAbsence == waitForHost)
	})
	if err != nil {
		return 0, err
	}
	return max(count, 0), failure
}

func (l *Listener) startsConnection() bool { return bytes.HasPrefix(l.pending, clientPreface) }

// mayStartConnection also takes a preface that came in pieces: between connections there is nothing to mistake it for.
func (l *Listener) mayStartConnection() bool {
	return l.startsConnection() || (len(l.pending) > 0 && bytes.HasPrefix(clientPreface, l.pending))
}

// release gives the port back to Accept. Deadlines were used to wake what was waiting; they must not outlive it.
func (l *Listener) release() {
	_ = l.file.SetDeadline(time.Time{})
	l.idle <- struct{}{}
}

func retryInterrupted(call func() (int, error)) (int, error) {
	for {
		count, err := call()
		if err != syscall.EINTR {
			return count, err
		}
	}
}

type address string

func (address) Network() string  { return "virtio-serial" }
func (a address) String() string { return string(a) }
