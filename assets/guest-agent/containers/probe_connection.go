package containers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A probe is a connection to a port of the guest itself, by system calls alone: while a container starts, it and the agent
// share one processor, and under emulation the code of net and net/http costs as much as the start of a small program.
type probeConnection struct{ socket int }

// The longest of what a server says before the end of its headers that is looked at; more is no answer.
const maxHeadBytes = 64 << 10

// dialGuest returns once the port accepts a connection; what is sent and received afterwards ends with ctx.
func dialGuest(ctx context.Context, port uint32) (*probeConnection, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	connection := &probeConnection{socket}
	if err = connection.limit(ctx); err == nil {
		err = connection.connect(port)
	}
	if err != nil {
		connection.Close()
		return nil, timedOut(err)
	}
	return connection, nil
}

func (c *probeConnection) connect(port uint32) error {
	loopback := &unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}}
	err := ignoringEINTR(func() error { return unix.Connect(c.socket, loopback) })
	if err == unix.EISCONN { // an interrupted one that was done by then
		err = nil
	}
	if err == nil && c.isOwnEnd(port) {
		err = unix.ECONNREFUSED
	}
	return os.NewSyscallError("connect", err)
}

// limit makes the kernel give up what blocks when ctx does.
func (c *probeConnection) limit(ctx context.Context) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		return errors.New("a probe without a limit")
	}
	left := time.Until(deadline)
	if left <= 0 {
		return context.DeadlineExceeded
	}
	// One of 0 would be none at all.
	limit := unix.NsecToTimeval(max(left, time.Millisecond).Nanoseconds())
	for _, option := range []int{unix.SO_SNDTIMEO, unix.SO_RCVTIMEO} {
		if err := unix.SetsockoptTimeval(c.socket, unix.SOL_SOCKET, option, &limit); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}

func (c *probeConnection) Read(into []byte) (int, error) {
	count := 0
	err := ignoringEINTR(func() (err error) { count, err = unix.Read(c.socket, into); return err })
	if err != nil {
		return 0, timedOut(os.NewSyscallError("read", err))
	}
	if count == 0 {
		return 0, io.EOF
	}
	return count, nil
}

func (c *probeConnection) Write(from []byte) (int, error) {
	count := 0
	err := ignoringEINTR(func() (err error) {
		count, err = unix.SendmsgN(c.socket, from, nil, nil, unix.MSG_NOSIGNAL)
		return err
	})
	if err == nil && count < len(from) {
		err = io.ErrShortWrite
	}
	return max(count, 0), timedOut(os.NewSyscallError("write", err))
}

func (c *probeConnection) Close() { _ = unix.Close(c.socket) }

// ignoringEINTR: the Go runtime interrupts system calls that take long. A connect that was interrupted goes on, and the
// second call waits for it.
func ignoringEINTR(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// timedOut: of a blocked call that the kernel gave up a read says EAGAIN, a connect EINPROGRESS, an interrupted one EALREADY.
func timedOut(err error) error {
	for _, expired := range []error{unix.EAGAIN, unix.EINPROGRESS, unix.EALREADY} {
		if errors.Is(err, expired) {
			return context.DeadlineExceeded
		}
	}
	return err
}

// isOwnEnd: a connection within the guest whose own port happens to be the one that it asks for connects to itself.
func (c *probeConnection) isOwnEnd(port uint32) bool {
	name, err := unix.Getsockname(c.socket)
	own, ok := name.(*unix.SockaddrInet4)
	return err == nil && ok && own.Port == int(port)
}

// askOnce sends one GET; an answer from 200 to 399 is a good one, so a redirect is. No connection stays open, which would
// ride along in the golden snapshot.
func askOnce(connection io.ReadWriter, port uint32, path string) error {
	const request = "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: dormouse-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
	if _, err := fmt.Fprintf(connection, request, path, port); err != nil {
		return err
	}
	answer := textproto.NewReader(bufio.NewReader(io.LimitReader(connection, maxHeadBytes)))
	for {
		line, err := answer.ReadLine()
		if err != nil {
			return err
		}
		status, err := statusOf(line)
		if err != nil {
			return err
		}
		if status >= 200 && status <= 399 {
			return nil
		}
		if status >= 400 {
			return fmt.Errorf("GET %s answered %s", path, line)
		}
		// What comes before the answer itself, such as 103.
		if _, err := answer.ReadMIMEHeader(); err != nil {
			return err
		}
	}
}

func statusOf(line string) (int, error) {
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if err != nil || !strings.HasPrefix(version, "HTTP/1.") || status < 100 || status > 599 {
		return 0, fmt.Errorf("no HTTP answer: %.80q", line)
	}
	return status, nil
}
