package containers

import (
	"strings"
	"testing"
)

func TestTheRingKeepsTheEnd(t *testing.T) {
	var log ring
	for range 3 * ringBytes / 8 {
		if _, err := log.Write([]byte("1234567\n")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.Write([]byte("the end\n")); err != nil {
		t.Fatal(err)
	}
	if len(log.bytes) > 2*ringBytes {
		t.Fatalf("the ring grew to %d bytes", len(log.bytes))
	}
	all := log.tail(1 << 20)
	if len(all) >= ringBytes || !strings.HasSuffix(all, "1234567\nthe end") {
		t.Fatalf("%d bytes, ending in %q", len(all), all[len(all)-20:])
	}
	if got := log.tail(2); got != "1234567\nthe end" {
		t.Fatalf("tail %q", got)
	}
}

func TestTheRingReturnsValidText(t *testing.T) {
	var log ring
	_, _ = log.Write([]byte("before \xff\xfe after\n"))
	if got := log.tail(1); got != "before \uFFFD after" {
		t.Fatalf("tail %q", got)
	}
}

func TestLastLines(t *testing.T) {
	for _, test := range []struct {
		text  string
		lines int
		want  string
	}{{"a\nb\nc", 2, "b\nc"}, {"a\nb\nc", 3, "a\nb\nc"}, {"a\nb\nc", 9, "a\nb\nc"}, {"a\nb\nc", 0, ""}, {"", 3, ""}, {"a", 1, "a"}} {
		if got := LastLines(test.text, test.lines); got != test.want {
			t.Errorf("LastLines(%q, %d) = %q, want %q", test.text, test.lines, got, test.want)
		}
	}
}
