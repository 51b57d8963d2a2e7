package containers

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"dormouse/guest-agent/agentpb"
)

func portOf(t *testing.T, address net.Addr) uint32 {
	t.Helper()
	return uint32(address.(*net.TCPAddr).Port)
}

func TestHTTPProbe(t *testing.T) {
	for status, ready := range map[int]bool{200: true, 204: true, 302: true, 399: true, 404: false, 500: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthz" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		err := runProbe(context.Background(), &agentpb.Probe{Port: portOf(t, server.Listener.Addr()), HttpPath: "/healthz"})
		if (err == nil) != ready {
			t.Errorf("status %d: %v", status, err)
		}
		server.Close()
	}
}

func TestAProbeIsBoundedByTheStart(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the backlog and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	probe := &agentpb.Probe{Port: portOf(t, listener.Addr()), HttpPath: "/"}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := runProbe(ctx, probe); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the hanging server: %v", err)
	}
	probe.HttpPath = ""
	if err := runProbe(context.Background(), probe); err != nil {
		t.Errorf("a TCP connection suffices: %v", err)
	}
	listener.Close()
	if err := runProbe(context.Background(), probe); err == nil {
		t.Error("nobody listens")
	}
}

func TestAnAnswerMayFollowEarlyHints(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	if err := runProbe(context.Background(), &agentpb.Probe{Port: portOf(t, server.Listener.Addr()), HttpPath: "/"}); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoHTTPIsNoAnswer(t *testing.T) {
	for _, words := range []string{"", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			defer connection.Close()
			_, _ = connection.Read(make([]byte, 4096))
			_, _ = connection.Write([]byte(words))
		}()
		if err := runProbe(context.Background(), &agentpb.Probe{Port: portOf(t, listener.Addr()), HttpPath: "/"}); err == nil {
			t.Errorf("%q was taken for a good answer", words)
		}
		listener.Close()
	}
}

func TestOnlyAPortWhereNobodyListensIsLookedAtMoreOften(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	probe := &agentpb.Probe{Port: portOf(t, listener.Addr())}
	listener.Close()
	refused := runProbe(context.Background(), probe)
	for waited, want := range map[time.Duration]time.Duration{
		0: listenCheckInterval, 640 * time.Millisecond: 20 * time.Millisecond, time.Minute: 100 * time.Millisecond,
	} {
		if got := pauseAfter(refused, 100*time.Millisecond, waited); got != want {
			t.Errorf("refused after %s: %s", waited, got)
		}
	}
	if got := pauseAfter(refused, 2*time.Millisecond, 0); got != 2*time.Millisecond {
		t.Errorf("more often than asked for is not less often: %s", got)
	}
	if got := pauseAfter(errors.New("GET / answered 503"), 100*time.Millisecond, 0); got != 100*time.Millisecond {
		t.Errorf("a server that is not ready: %s", got)
	}
}

func TestStartLimit(t *testing.T) {
	for milliseconds, want := range map[uint32]time.Duration{0: maxStart, 1500: 1500 * time.Millisecond, 30_000: maxStart, 90_000: maxStart} {
		if got := startLimit(milliseconds); got != want {
			t.Errorf("startLimit(%d) = %s", milliseconds, got)
		}
	}
}

func TestExitCode(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -9 $$": 255} {
		if got := exitCode(exec.Command("sh", "-c", script).Run()); got != want {
			t.Errorf("%s: %d", script, got)
		}
	}
}

func TestCrunErrorIsTheLastLineWithoutItsTime(t *testing.T) {
	log := t.TempDir() + "/crun.log"
	if got := CrunError(log); got != "" {
		t.Errorf("no log: %q", got)
	}
	for content, want := range map[string]string{
		"": "",
		"2026-01-02T03:04:05.678901Z: a warning\n2026-01-02T03:04:06.000000Z: open `x`: No such file\n\n": "open `x`: No such file",
		"plain words\n": "plain words",
		"a: b\n":        "a: b",
	} {
		if err := os.WriteFile(log, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := CrunError(log); got != want {
			t.Errorf("%q: %q", content, got)
		}
	}
}

func TestInternalIdsCannotClashWithNames(t *testing.T) {
	if got := pathsOf("web"); got.id != "web_c" || got.lower != LowerDir+"/web/rootfs" {
		t.Errorf("%+v", got)
	}
}

func TestTmpfsOptions(t *testing.T) {
	if got := tmpfsOptions(1 << 20); got != "mode=0755,size=1048576" {
		t.Error(got)
	}
	if got := tmpfsOptions(0); got != "mode=0755" {
		t.Error(got)
	}
}
