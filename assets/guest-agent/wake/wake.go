// Package wake makes a restored guest fit for the present: the clock, the kernel's random numbers, and who it is. Two
// actors cloned from one golden snapshot share all three until this has run.
package wake

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SetClock sets the wall clock and returns how far it was off.
func SetClock(unixNanos int64) (stepNanos int64, err error) {
	step := unixNanos - time.Now().UnixNano()
	target := unix.NsecToTimespec(unixNanos)
	if err := unix.ClockSettime(unix.CLOCK_REALTIME, &target); err != nil {
		return 0, fmt.Errorf("set the clock: %w", err)
	}
	return step, nil
}

// The header of struct rand_pool_info (linux/random.h): entropy_count in bits, then buf_size in bytes.
const poolHeaderBytes = 8

// StirEntropy credits the bytes to the kernel's pool and reseeds its generator at once, so that no random number handed
// out from now on depends on the snapshot alone.
func StirEntropy(entropy []byte) error {
	if len(entropy) == 0 {
		return fmt.Errorf("no entropy was sent")
	}
	device, err := unix.Open("/dev/urandom", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open /dev/urandom: %w", err)
	}
	defer unix.Close(device)
	if err := ioctl(device, unix.RNDADDENTROPY, unsafe.Pointer(&poolInfo(entropy)[0])); err != nil {
		return fmt.Errorf("RNDADDENTROPY: %w", err)
	}
	if err := ioctl(device, rndReseedCRNG, nil); err != nil {
		return fmt.Errorf("RNDRESEEDCRNG: %w", err)
	}
	return nil
}

// rndReseedCRNG is _IO('R', 0x07), the same number on amd64 and arm64; golang.org/x/sys does not name it.
const rndReseedCRNG = 0x5207

func poolInfo(entropy []byte) []byte {
	info := make([]byte, poolHeaderBytes+len(entropy))
	binary.NativeEndian.PutUint32(info[0:], uint32(8*len(entropy)))
	binary.NativeEndian.PutUint32(info[4:], uint32(len(entropy)))
	copy(info[poolHeaderBytes:], entropy)
	return info
}

func ioctl(descriptor int, request uintptr, argument unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(descriptor), request, uintptr(argument)); errno != 0 {
		return errno
	}
	return nil
}

// WriteIdentity replaces actor.json in the folder; a reader sees the old one or the new one, whole. System calls as they
// are: a user waits, under emulation each call costs up to a millisecond the first time, and package os makes five more.
func WriteIdentity(folder, identity string) error {
	fresh := folder + "/.actor.json.new"
	err := writeNew(fresh, identity)
	if err == unix.ENOENT {
		if err = os.MkdirAll(folder, 0o755); err == nil {
			err = writeNew(fresh, identity)
		}
	}
	if err == nil {
		err = unix.Rename(fresh, folder+"/actor.json")
	}
	if err != nil {
		return fmt.Errorf("write the identity: %w", err)
	}
	return nil
}

func writeNew(path, content string) error {
	file, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	defer unix.Close(file)
	count, err := unix.Write(file, []byte(content))
	if err == nil && count != len(content) {
		err = unix.ENOSPC
	}
	return err
}
