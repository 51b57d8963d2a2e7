package execute

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"dormouse/guest-agent/agentpb"
)

// crun makes the terminal in the container and sends the side that we keep over a socket. It leaves the size to us, so a
// program that asks at once may see none yet; the size then comes as any other change does, with SIGWINCH.

// terminalLimit is how long that may take: under emulation on a busy machine, seconds.
const terminalLimit = 20 * time.Second

// terminal passes a program's output on, and takes its input once it is there.
type terminal struct {
	listener *net.UnixListener
	arrived  chan struct{} // closed when master is set, or never will be
	finished chan struct{} // closed when all output was handed over
	mutex    sync.Mutex
	size     *agentpb.TerminalSize
	master   *os.File
}

func listenForTerminal(socket string, size *agentpb.TerminalSize, output io.Writer) (*terminal, error) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, err
	}
	t := &terminal{listener: listener, size: size, arrived: make(chan struct{}), finished: make(chan struct{})}
	go t.serve(output)
	return t, nil
}

func (t *terminal) serve(output io.Writer) {
	defer close(t.finished)
	master, err := receive(t.listener)
	if err == nil {
		t.mutex.Lock()
		t.master = master
		_ = setSize(master, t.size)
		t.mutex.Unlock()
	}
	close(t.arrived)
	if err == nil {
		copyOutput(output, master) // ends with EIO when nobody has the terminal open any more
	}
}

func receive(listener *net.UnixListener) (*os.File, error) {
	if err := listener.SetDeadline(time.Now().Add(terminalLimit)); err != nil {
		return nil, err
	}
	connection, err := listener.AcceptUnix()
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(terminalLimit)); err != nil {
		return nil, err
	}
	message, control := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	_, count, _, _, err := connection.ReadMsgUnix(message, control)
	if err != nil {
		return nil, err
	}
	return fileOf(control[:count])
}

func fileOf(control []byte) (*os.File, error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil, err
	}
	for _, message := range messages {
		descriptors, err := unix.ParseUnixRights(&message)
		if err != nil || len(descriptors) != 1 {
			continue
		}
		unix.CloseOnExec(descriptors[0])
		if err := unix.SetNonblock(descriptors[0], true); err != nil {
			return nil, err
		}
		return os.NewFile(uintptr(descriptors[0]), "terminal"), nil
	}
	return nil, fmt.Errorf("the runtime sent no terminal")
}

func (t *terminal) Write(input []byte) (int, error) {
	<-t.arrived
	if t.master == nil {
		return 0, os.ErrClosed
	}
	return t.master.Write(input)
}

func (t *terminal) Close() error { return nil }

func (t *terminal) resize(size *agentpb.TerminalSize) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.size = size
	if t.master == nil {
		return nil
	}
	return setSize(t.master, size)
}

func setSize(master *os.File, size *agentpb.TerminalSize) error {
	if size.GetColumns() == 0 || size.GetRows() == 0 {
		return nil
	}
	raw, err := master.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	err = raw.Control(func(descriptor uintptr) {
		failure = unix.IoctlSetWinsize(int(descriptor), unix.TIOCSWINSZ,
			&unix.Winsize{Col: uint16(min(size.GetColumns(), 9999)), Row: uint16(min(size.GetRows(), 9999))})
	})
	if err != nil {
		return err
	}
	return failure
}

// finish is called when the program has ended: what it wrote is handed over, then the terminal goes.
func (t *terminal) finish() {
	_ = t.listener.Close()
	<-t.arrived
	if t.master != nil {
		endOutput(t.master)
	}
	<-t.finished
	t.close()
}

func (t *terminal) close() {
	_ = t.listener.Close()
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.master != nil {
		_ = t.master.Close()
	}
}
