// Package files reads and writes in a container's root as its own programs see it: mounts included, and no link leads out
// of it. The kernel resolves each path (openat2 with RESOLVE_IN_ROOT), so nothing can be changed between a check and its
// use.
package files

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Error is a refusal, with a code of the platform's error table.
type Error struct {
	Code  string
	words string
}

func (e *Error) Error() string { return e.words }

func refuse(code, format string, facts ...any) error {
	return &Error{Code: code, words: fmt.Sprintf(format, facts...)}
}

// Owner is who new files belong to.
type Owner struct{ UID, GID int }

// Root is an open root folder.
type Root struct {
	folder *os.File
	owner  Owner
}

// OfProcess opens the root of a process.
func OfProcess(pid int, owner Owner) (*Root, error) {
	return Open(fmt.Sprintf("/proc/%d/root", pid), owner)
}

// Open opens a folder as a root.
func Open(folder string, owner Owner) (*Root, error) {
	opened, err := os.OpenFile(folder, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &Root{folder: opened, owner: owner}, nil
}

// Close gives the root back.
func (r *Root) Close() { _ = r.folder.Close() }

// clean checks a path and takes `.` and `..` out of it by its words alone.
func clean(name string) (string, error) {
	if !path.IsAbs(name) || strings.ContainsRune(name, 0) || len(name) > unix.PathMax {
		return "", refuse("invalid-input", "not an absolute path: %.80q", name)
	}
	return path.Clean(name), nil
}

// open resolves a cleaned path inside the root. Magic links, as /proc/<pid>/root is one, lead nowhere.
func (r *Root) open(name string, flags uint64) (*os.File, error) {
	how := unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	for {
		descriptor, err := unix.Openat2(int(r.folder.Fd()), name, &how)
		switch {
		case err == nil:
			return os.NewFile(uintptr(descriptor), name), nil
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
			// Somebody renamed a folder meanwhile: the kernel could not be sure, and asks us to try again.
		default:
			return nil, explain(err, name)
		}
	}
}

func explain(err error, name string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return refuse("file-not-found", "no such file: %s", name)
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return refuse("no-space", "no space is left for %s", name)
	case errors.Is(err, unix.EROFS), errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES), errors.Is(err, unix.ELOOP),
		errors.Is(err, unix.EXDEV), errors.Is(err, unix.EISDIR), errors.Is(err, unix.ENOTEMPTY), errors.Is(err, unix.EEXIST),
		errors.Is(err, unix.ENAMETOOLONG):
		return refuse("file-not-usable", "%s: %s", name, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// folderAt opens a folder, and makes it and those above it where they are missing.
func (r *Root) folderAt(name string) (*os.File, error) {
	opened, err := r.open(name, unix.O_PATH|unix.O_DIRECTORY)
	var missing *Error
	if err == nil || name == "/" || !errors.As(err, &missing) || missing.Code != "file-not-found" {
		return opened, err
	}
	parent, err := r.folderAt(path.Dir(name))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	base := path.Base(name)
	at := int(parent.Fd())
	if err := unix.Mkdirat(at, base, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, explain(err, name)
	} else if err == nil {
		if err := unix.Fchownat(at, base, r.owner.UID, r.owner.GID, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return nil, explain(err, name)
		}
	}
	return r.open(name, unix.O_PATH|unix.O_DIRECTORY)
}
