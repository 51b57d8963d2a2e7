package port

import (
	"os"
	"syscall"
	"testing"
)

// newStream stands in for the device with a socket pair: the same blocking reads and writes on one descriptor.
func newStream(t *testing.T) (*Stream, *os.File) {
	t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	host := os.NewFile(uintptr(pair[1]), "host")
	t.Cleanup(func() { host.Close(); syscall.Close(pair[0]) })
	return &Stream{descriptor: pair[0]}, host
}

func TestAStreamWaitsInItsReadForWhatTheHostSends(t *testing.T) {
	stream, host := newStream(t)
	arrived := make(chan string)
	go func() {
		buffer := make([]byte, 16)
		for {
			count, err := stream.Read(buffer)
			if err != nil {
				close(arrived)
				return
			}
			arrived <- string(buffer[:count])
		}
	}()
	for _, message := range []string{"first", "second"} {
		send(t, host, message)
		if got := <-arrived; got != message {
			t.Fatalf("%q instead of %q", got, message)
		}
	}
}

func TestAStreamWritesAllOfIt(t *testing.T) {
	stream, host := newStream(t)
	if count, err := stream.Write([]byte("done")); count != 4 || err != nil {
		t.Fatal(count, err)
	}
	buffer := make([]byte, 16)
	if count, err := host.Read(buffer); err != nil || string(buffer[:count]) != "done" {
		t.Fatal(string(buffer[:count]), err)
	}
}

func TestAStreamSaysThatItsPortIsNoMore(t *testing.T) {
	stream := &Stream{descriptor: -1}
	if _, err := stream.Read(make([]byte, 1)); err != syscall.EBADF {
		t.Errorf("read: %v", err)
	}
	if _, err := stream.Write([]byte{0}); err != syscall.EBADF {
		t.Errorf("write: %v", err)
	}
}
