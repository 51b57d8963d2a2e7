package port

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

const limit = 10 * time.Second

// newPort stands in for the device with a socket pair: the same non-blocking reads and writes on one descriptor.
func newPort(t *testing.T) (*Listener, *os.File) {
	t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	host := os.NewFile(uintptr(pair[1]), "host")
	listener, err := newListener(os.NewFile(uintptr(pair[0]), "guest"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close(); listener.file.Close() })
	return listener, host
}

func send(t *testing.T, host *os.File, chunk string) {
	t.Helper()
	if _, err := host.WriteString(chunk); err != nil {
		t.Fatal(err)
	}
}

func accept(t *testing.T, listener *Listener) net.Conn {
	t.Helper()
	accepted := make(chan net.Conn, 1)
	go func() {
		if connection, err := listener.Accept(); err == nil {
			accepted <- connection
		}
	}()
	select {
	case connection := <-accepted:
		return connection
	case <-time.After(limit):
		t.Fatal("no connection was accepted")
		return nil
	}
}

func expectRead(t *testing.T, connection net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(connection, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v; want %q", got, err, want)
	}
}

func TestAConnectionCarriesBytesBothWays(t *testing.T) {
	listener, host := newPort(t)
	send(t, host, string(clientPreface)+"hello")
	connection := accept(t, listener)
	expectRead(t, connection, string(clientPreface)+"hello")
	send(t, host, "more")
	expectRead(t, connection, "more")
	if _, err := connection.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 16)
	if count, err := host.Read(got); err != nil || string(got[:count]) != "answer" {
		t.Fatalf("the host read %q, %v", got[:count], err)
	}
}

func TestAPrefaceInMidStreamIsTheNextConnection(t *testing.T) {
	listener, host := newPort(t)
	send(t, host, string(clientPreface)+"first")
	first := accept(t, listener)
	expectRead(t, first, string(clientPreface)+"first")
	send(t, host, string(clientPreface)+"second")
	if _, err := first.Read(make([]byte, 8)); err != io.EOF {
		t.Fatalf("the first connection read on: %v", err)
	}
	first.Close()
	expectRead(t, accept(t, listener), string(clientPreface)+"second")
}

func TestABeginningOfThePrefaceInMidStreamIsData(t *testing.T) {
	listener, host := newPort(t)
	send(t, host, string(clientPreface))
	connection := accept(t, listener)
	expectRead(t, connection, string(clientPreface))
	send(t, host, "PRI")
	expectRead(t, connection, "PRI")
}

func TestWhatAClosedConnectionLeftIsSkipped(t *testing.T) {
	listener, host := newPort(t)
	send(t, host, string(clientPreface)+"unread")
	accept(t, listener).Close()
	send(t, host, "stale bytes")
	send(t, host, string(clientPreface)+"fresh")
	expectRead(t, accept(t, listener), string(clientPreface)+"fresh")
}

func TestCloseWakesAReader(t *testing.T) {
	listener, host := newPort(t)
	send(t, host, string(clientPreface))
	connection := accept(t, listener)
	expectRead(t, connection, string(clientPreface))
	ended := make(chan error, 1)
	go func() {
		_, err := connection.Read(make([]byte, 8))
		ended <- err
	}()
	connection.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Fatal("the read succeeded")
		}
	case <-time.After(limit):
		t.Fatal("the reader still waits")
	}
	send(t, host, string(clientPreface)+"again")
	expectRead(t, accept(t, listener), string(clientPreface)+"again")
}

func TestCloseWakesAWriterThatNobodyReads(t *testing.T) {
	listener, host := newPort(t)
	send(t, host, string(clientPreface))
	connection := accept(t, listener)
	full, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		chunk := []byte(strings.Repeat("x", 4096))
		for written := 0; ; written++ {
			if written == 1 {
				close(full)
			}
			if _, err := connection.Write(chunk); err != nil {
				ended <- err
				return
			}
		}
	}()
	<-full
	connection.Close()
	select {
	case err := <-ended:
		if errors.Is(err, io.EOF) {
			t.Fatalf("unexpected %v", err)
		}
	case <-time.After(limit):
		t.Fatal("the writer still waits")
	}
	send(t, host, string(clientPreface)+"again")
	expectRead(t, accept(t, listener), string(clientPreface)+"again")
}

func TestCloseEndsAnAcceptThatWaitsForItsTurn(t *testing.T) {
	listener, host := newPort(t)
	send(t, host, string(clientPreface))
	accept(t, listener)
	ended := make(chan error, 1)
	go func() {
		_, err := listener.Accept()
		ended <- err
	}()
	listener.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
	case <-time.After(limit):
		t.Fatal("Accept still waits")
	}
}

func TestFindReadsTheNamesOfThePorts(t *testing.T) {
	class := t.TempDir()
	for device, name := range map[string]string{"vport1p1": "other\n", "vport1p2": "agent\n"} {
		if err := os.MkdirAll(class+"/"+device, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(class+"/"+device+"/name", []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if found := lookUp(class, "agent"); found != "/dev/vport1p2" {
		t.Fatalf("found %q", found)
	}
	if found := lookUp(class, "missing"); found != "" {
		t.Fatalf("found %q", found)
	}
}
