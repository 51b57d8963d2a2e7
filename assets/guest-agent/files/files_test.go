package files

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func newRoot(t *testing.T) (*Root, string) {
	t.Helper()
	folder := t.TempDir()
	outside := filepath.Join(folder, "outside")
	inside := filepath.Join(folder, "inside")
	for _, made := range []string{outside, inside} {
		if err := os.Mkdir(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(outside+"/secret", []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := Open(inside, Owner{os.Getuid(), os.Getgid()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(root.Close)
	return root, inside
}

func read(t *testing.T, root *Root, name string) ([]byte, error) {
	t.Helper()
	opened, err := root.OpenForRead(name)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	var content bytes.Buffer
	if err := opened.CopyTo(&content); err != nil {
		t.Fatal(err)
	}
	return content.Bytes(), nil
}

func expectRefusal(t *testing.T, err error, code string) {
	t.Helper()
	var refused *Error
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("%v is not a refusal with %s", err, code)
	}
}

func TestAFileIsWrittenWholeAndReadBack(t *testing.T) {
	root, inside := newRoot(t)
	content := bytes.Repeat([]byte("0123456789"), 20_000)
	count, err := root.Write("/made/on/the/way/file", 0, bytes.NewReader(content))
	if err != nil || count != uint64(len(content)) {
		t.Fatal(count, err)
	}
	got, err := read(t, root, "/made/on/../on/the/way/file")
	if err != nil || !bytes.Equal(got, content) {
		t.Fatalf("read %d bytes, %v", len(got), err)
	}
	if err := os.Chmod(inside+"/made/on/the/way/file", 0o750); err != nil {
		t.Fatal(err)
	}
	if _, err := root.Write("/made/on/the/way/file", 0, io.MultiReader(strings.NewReader("half"), failing{})); err == nil {
		t.Fatal("a transfer that broke off was taken")
	}
	if got, _ := read(t, root, "/made/on/the/way/file"); !bytes.Equal(got, content) {
		t.Fatal("a transfer that broke off changed the file")
	}
	if entries, _ := os.ReadDir(inside + "/made/on/the/way"); len(entries) != 1 {
		t.Fatalf("left behind: %v", entries)
	}
	if _, err := root.Write("/made/on/the/way/file", 0, strings.NewReader("new")); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(inside + "/made/on/the/way/file"); info.Mode().Perm() != 0o750 || info.Size() != 3 {
		t.Fatalf("the new file is %v", info.Mode())
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("broken off") }

func TestNoPathLeadsOut(t *testing.T) {
	root, inside := newRoot(t)
	links := map[string]string{
		"relative": "../outside", "absolute": filepath.Dir(inside) + "/outside", "chain": "relative/../relative", "up": "../..",
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(inside, name)); err != nil {
			t.Fatal(err)
		}
		_, err := read(t, root, "/"+name+"/secret")
		expectRefusal(t, err, "file-not-found")
	}
	_, err := read(t, root, "/../outside/secret")
	expectRefusal(t, err, "file-not-found")
	// A link that leads out is resolved inside, so the folder is made there.
	if _, err := root.Write("/up/outside/planted", 0, strings.NewReader("x")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(inside) + "/outside/planted"); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file was planted outside")
	}
	// The link itself is replaced, not what it points to.
	if err := os.Symlink("../outside/secret", inside+"/link"); err != nil {
		t.Fatal(err)
	}
	if _, err := root.Write("/link", 0, strings.NewReader("mine")); err != nil {
		t.Fatal(err)
	}
	if secret, _ := os.ReadFile(filepath.Dir(inside) + "/outside/secret"); string(secret) != "secret" {
		t.Error("the secret was overwritten")
	}
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	root, inside := newRoot(t)
	if err := unix.Mkfifo(inside+"/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := read(t, root, "/pipe") // would wait for ever if it were opened
	expectRefusal(t, err, "file-not-usable")
	_, err = root.Write("/", 0, strings.NewReader(""))
	expectRefusal(t, err, "file-not-usable")
	for _, name := range []string{"", "relative", "/with\x00nul", "/" + strings.Repeat("x", 5000)} {
		_, err := read(t, root, name)
		expectRefusal(t, err, "invalid-input")
	}
}

func TestAFolderTravelsAsAnArchive(t *testing.T) {
	root, inside := newRoot(t)
	for name, text := range map[string]string{"/tree/a": "a", "/tree/deep/b": "bb"} {
		if _, err := root.Write(name, 0o640, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("deep/b", inside+"/tree/link"); err != nil {
		t.Fatal(err)
	}
	archive, err := read(t, root, "/tree")
	if err != nil {
		t.Fatal(err)
	}
	if count, err := root.Unpack("/copy/of", bytes.NewReader(archive)); err != nil || count != 3 {
		t.Fatal(count, err)
	}
	got, err := read(t, root, "/copy/of/link")
	if info, _ := os.Stat(inside + "/copy/of/deep/b"); err != nil || string(got) != "bb" || info.Mode().Perm() != 0o640 {
		t.Fatalf("%q, %v", got, err)
	}
	_, err = root.Unpack("/copy", strings.NewReader(strings.Repeat("no archive ", 100)))
	expectRefusal(t, err, "invalid-input")
}

func TestAnArchiveWritesNothingOutside(t *testing.T) {
	root, inside := newRoot(t)
	var bytes bytes.Buffer
	archive := tar.NewWriter(&bytes)
	for _, header := range []*tar.Header{
		{Name: "../outside/one", Typeflag: tar.TypeReg, Mode: 0o600},
		{Name: "out", Typeflag: tar.TypeSymlink, Linkname: "../../outside"},
		{Name: "out/two", Typeflag: tar.TypeReg, Mode: 0o600},
	} {
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := root.Unpack("/", &bytes); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(inside) + "/outside"); len(entries) != 1 {
		t.Errorf("outside holds %v", entries)
	}
}
