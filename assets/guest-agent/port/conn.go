package port

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// conn is one client's stretch of the port's stream.
type conn struct {
	listener *Listener
	reading  sync.Mutex
	writing  sync.Mutex
	begun    bool // the preface that may come was ours
	ended    bool
	replaced bool // what is pending belongs to the next connection
	closed   atomic.Bool
	once     sync.Once
}

func (c *conn) Read(into []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	if c.ended {
		return 0, io.EOF
	}
	if len(c.listener.pending) == 0 {
		if err := c.listener.fill(endOfStream); err != nil {
			return 0, err
		}
		c.replaced = c.begun && c.listener.startsConnection()
		c.ended = c.replaced || len(c.listener.pending) == 0
	}
	if c.ended {
		return 0, io.EOF
	}
	c.begun = true
	count := copy(into, c.listener.pending)
	c.listener.pending = c.listener.pending[count:]
	return count, nil
}

func (c *conn) Write(from []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	written := 0
	for written < len(from) {
		count, err := c.writeSome(from[written:])
		written += count
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// writeSome writes what the port takes. Without a host it waits, until the reader has seen the end and closes us.
func (c *conn) writeSome(from []byte) (count int, failure error) {
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	err := c.listener.raw.Write(func(descriptor uintptr) bool {
		count, failure = retryInterrupted(func() (int, error) { return syscall.Write(int(descriptor), from) })
		return failure != syscall.EAGAIN
	})
	if err != nil {
		return 0, err
	}
	if failure != nil {
		return 0, failure
	}
	return count, nil
}

// Close wakes whoever reads or writes, waits for them to leave, and gives the port to the next connection.
func (c *conn) Close() error {
	c.once.Do(func() {
		c.closed.Store(true)
		_ = c.listener.file.SetDeadline(time.Unix(1, 0))
		c.reading.Lock()
		c.writing.Lock()
		if !c.replaced {
			c.listener.pending = nil
		}
		c.listener.release()
		c.writing.Unlock()
		c.reading.Unlock()
	})
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.listener.Addr() }
func (c *conn) RemoteAddr() net.Addr { return address("host") }

// Deadlines are gRPC's guard against slow strangers; the one client of a port is the host, which bounds its own calls.
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
