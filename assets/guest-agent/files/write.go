package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// defaultMode is that of a new file.
const defaultMode = 0o644

var counter atomic.Uint64

// Write puts a file at a path, whole or not at all: it takes the place of what was there when its last byte has come. A
// link at the path is replaced, not followed. Missing folders are made.
func (r *Root) Write(name string, mode uint32, from io.Reader) (uint64, error) {
	name, err := clean(name)
	if err != nil {
		return 0, err
	}
	if name == "/" {
		return 0, refuse("file-not-usable", "/ is a folder")
	}
	parent, err := r.folderAt(path.Dir(name))
	if err != nil {
		return 0, err
	}
	defer parent.Close()
	return r.writeIn(parent, path.Base(name), name, mode, from)
}

// writeIn: base is a single segment, so it needs no resolving.
func (r *Root) writeIn(parent *os.File, base, name string, mode uint32, from io.Reader) (written uint64, failure error) {
	at := int(parent.Fd())
	mode, err := modeFor(at, base, name, mode)
	if err != nil {
		return 0, err
	}
	fresh := fmt.Sprintf(".dormouse-%d", counter.Add(1))
	file, err := create(at, fresh, name)
	if err != nil {
		return 0, err
	}
	defer func() {
		_ = file.Close()
		if failure != nil {
			_ = unix.Unlinkat(at, fresh, 0)
		}
	}()
	count, err := io.CopyBuffer(onlyWriter{file}, onlyReader{from}, make([]byte, chunkBytes))
	if err != nil {
		return 0, explainCopy(err, name)
	}
	if err := errors.Join(file.Chown(r.owner.UID, r.owner.GID), unix.Fchmod(int(file.Fd()), mode)); err != nil {
		return 0, explain(err, name)
	}
	return uint64(count), explain(unix.Renameat(at, fresh, at, base), name)
}

func create(at int, fresh, name string) (*os.File, error) {
	flags := unix.O_CREAT | unix.O_EXCL | unix.O_WRONLY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	descriptor, err := unix.Openat(at, fresh, flags, 0o600)
	if errors.Is(err, unix.EEXIST) {
		// What an agent of an earlier activation left when its VM ended in the middle.
		if err := unix.Unlinkat(at, fresh, 0); err != nil {
			return nil, explain(err, name)
		}
		descriptor, err = unix.Openat(at, fresh, flags, 0o600)
	}
	if err != nil {
		return nil, explain(err, name)
	}
	return os.NewFile(uintptr(descriptor), name), nil
}

// modeFor keeps the permissions of a file that is replaced, unless others are asked for.
func modeFor(at int, base, name string, mode uint32) (uint32, error) {
	var stat unix.Stat_t
	err := unix.Fstatat(at, base, &stat, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case err == nil && stat.Mode&unix.S_IFMT == unix.S_IFDIR:
		return 0, refuse("file-not-usable", "%s is a folder", name)
	case mode != 0:
		return mode & 0o7777, nil
	case err == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG:
		return stat.Mode & 0o7777, nil
	}
	return defaultMode, nil
}

// explainCopy leaves what the sender did wrong as it is.
func explainCopy(err error, name string) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return explain(errno, name)
	}
	return err
}
