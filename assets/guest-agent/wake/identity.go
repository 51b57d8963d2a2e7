package wake

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Identity is actor.json in a folder. Each new one is a new file that takes the old one's place, so that a reader sees
// the old one or the new one, whole. The new file is made, and the old one removed, before the guest is frozen:
// Replace only writes and renames.
type Identity struct {
	fresh, final       string
	freshPtr, finalPtr *byte // the same as system calls take them
	next               int   // an empty file at fresh, or none
	current            int   // the one at final, or none: while it is open, to replace it is not to remove it
	replaced           int   // the one before, or none
}

const none = -1

// OpenIdentity makes the folder, if need be, and prepares.
func OpenIdentity(folder string) (*Identity, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	identity := &Identity{fresh: folder + "/.actor.json.new", final: folder + "/actor.json",
		next: none, current: none, replaced: none}
	var err error
	if identity.freshPtr, err = unix.BytePtrFromString(identity.fresh); err != nil {
		return nil, err
	}
	if identity.finalPtr, err = unix.BytePtrFromString(identity.final); err != nil {
		return nil, err
	}
	return identity, identity.Prepare()
}

// Prepare does now what the next Replace would have to do first. Harmless when that has been done.
func (i *Identity) Prepare() error {
	if i.replaced != none {
		unix.Close(i.replaced)
		i.replaced = none
	}
	if i.next != none {
		return nil
	}
	next, err := unix.Open(i.fresh, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("make a file for the next identity: %w", err)
	}
	i.next = next
	return nil
}

// Replace makes content, which is not empty, the identity.
func (i *Identity) Replace(content []byte) error {
	if i.next == none || i.replaced != none { // it was not frozen since the last time
		if err := i.Prepare(); err != nil {
			return err
		}
	}
	i.next, i.current, i.replaced = none, i.next, i.current
	count, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(i.current), uintptr(unsafe.Pointer(&content[0])), uintptr(len(content)))
	if errno == 0 && count != uintptr(len(content)) {
		errno = unix.ENOSPC
	}
	if errno == 0 {
		cwd := unix.AT_FDCWD
		_, _, errno = unix.RawSyscall6(unix.SYS_RENAMEAT, uintptr(cwd), uintptr(unsafe.Pointer(i.freshPtr)), uintptr(cwd), uintptr(unsafe.Pointer(i.finalPtr)), 0, 0)
	}
	if errno != 0 {
		return fmt.Errorf("write the identity: %w", errno)
	}
	return nil
}
