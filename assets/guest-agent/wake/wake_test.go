package wake

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"strings"
	"testing"
)

func openIdentity(t *testing.T, folder string) *Identity {
	t.Helper()
	identity, err := OpenIdentity(folder)
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func replace(t *testing.T, identity *Identity, content string) {
	t.Helper()
	if err := identity.Replace([]byte(content)); err != nil {
		t.Fatal(err)
	}
}

func TestReplaceReplacesTheFileItself(t *testing.T) {
	folder := t.TempDir() + "/identity"
	identity := openIdentity(t, folder)
	replace(t, identity, `{"id":"first, and longer"}`)
	opened, err := os.Open(folder + "/actor.json")
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	replace(t, identity, `{"id":"second"}`)
	old, _ := io.ReadAll(opened)
	fresh, err := os.ReadFile(folder + "/actor.json")
	if err != nil || string(fresh) != `{"id":"second"}` || string(old) != `{"id":"first, and longer"}` {
		t.Errorf("fresh %q (%v), old %q", fresh, err, old)
	}
}

func TestPreparedOrNotEachReplaceCounts(t *testing.T) {
	folder := t.TempDir()
	identity := openIdentity(t, folder)
	open := countOpen(t)
	for round := range 20 {
		content := strings.Repeat("x", 1+round%3)
		replace(t, identity, content)
		if fresh, err := os.ReadFile(folder + "/actor.json"); err != nil || string(fresh) != content {
			t.Fatalf("round %d: %q, %v", round, fresh, err)
		}
		if round%4 != 0 {
			continue
		}
		for range 2 {
			if err := identity.Prepare(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if now := countOpen(t); now > open+2 {
		t.Errorf("%d files were open, now %d", open, now)
	}
}

func countOpen(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestPoolInfoIsTheKernelsStructure(t *testing.T) {
	entropy := []byte("0123456789abcdef")
	info := poolInfo(entropy)
	if bits := binary.NativeEndian.Uint32(info); bits != 128 {
		t.Errorf("%d bits", bits)
	}
	if size := binary.NativeEndian.Uint32(info[4:]); size != 16 || !bytes.Equal(info[8:], entropy) {
		t.Errorf("size %d, bytes %q", size, info[8:])
	}
}

func TestStirEntropyRefusesNone(t *testing.T) {
	if stirEntropy(-1, nil) == nil {
		t.Error("no entropy was accepted")
	}
}
