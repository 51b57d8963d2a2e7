package wake

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
)

func TestWriteIdentityReplacesTheFileItself(t *testing.T) {
	folder := t.TempDir() + "/identity"
	if err := WriteIdentity(folder, `{"id":"first"}`); err != nil {
		t.Fatal(err)
	}
	opened, err := os.Open(folder + "/actor.json")
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if err := WriteIdentity(folder, `{"id":"second, and longer"}`); err != nil {
		t.Fatal(err)
	}
	old := make([]byte, 64)
	count, _ := opened.Read(old)
	fresh, err := os.ReadFile(folder + "/actor.json")
	if err != nil || string(fresh) != `{"id":"second, and longer"}` || string(old[:count]) != `{"id":"first"}` {
		t.Errorf("fresh %q (%v), old %q", fresh, err, old[:count])
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
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
	if StirEntropy(nil) == nil {
		t.Error("no entropy was accepted")
	}
}
