// Package wake makes a restored guest fit for the present: the clock, the kernel's random numbers, and who it is. Two
// actors cloned from one golden snapshot share all three until this has run.
//
// A user waits for it, and under emulation each code path that a restored guest takes is translated anew. So whatever can be
// done ahead is done before the guest is frozen, and what is left are five system calls, made without a word to Go's
// scheduler (RawSyscall). Told of a call that takes longer than a tick of its monitor, 20 µs, as each does the first time, it
// would start another thread to take over meanwhile, and this one would wait for its turn afterwards. None of them waits.
package wake

import (
	"encoding/binary"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Guest is what a wake changes.
type Guest struct {
	random   int // the kernel's generator, held open
	identity *Identity
}

// OpenGuest gets everything ready for the first wake. The folder becomes a ramfs: a rename there is half of what it is on a
// tmpfs, which keeps an index of each folder's names.
func OpenGuest(identityFolder string) (*Guest, error) {
	if err := os.MkdirAll(identityFolder, 0o755); err != nil {
		return nil, err
	}
	if err := unix.Mount("identity", identityFolder, "ramfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0755"); err != nil {
		return nil, fmt.Errorf("mount %s: %w", identityFolder, err)
	}
	random, err := unix.Open("/dev/urandom", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/urandom: %w", err)
	}
	identity, err := OpenIdentity(identityFolder)
	if err != nil {
		return nil, err
	}
	return &Guest{random: random, identity: identity}, nil
}

// Prepare gets everything ready for the next wake; called when nobody waits.
func (g *Guest) Prepare() error { return g.identity.Prepare() }

// Apply makes the guest what a wake message says.
func (g *Guest) Apply(message Message) error {
	if err := setClock(message.UnixNanos); err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	if err := stirEntropy(g.random, message.Entropy); err != nil {
		return err
	}
	if len(message.Identity) == 0 {
		return nil
	}
	return g.identity.Replace(message.Identity)
}

func setClock(unixNanos int64) error {
	target := unix.NsecToTimespec(unixNanos)
	_, _, errno := unix.RawSyscall(unix.SYS_CLOCK_SETTIME, unix.CLOCK_REALTIME, uintptr(unsafe.Pointer(&target)), 0)
	return failure(errno)
}

// The header of struct rand_pool_info (linux/random.h): entropy_count in bits, then buf_size in bytes.
const poolHeaderBytes = 8

// rndReseedCRNG is _IO('R', 0x07), the same number on amd64 and arm64; golang.org/x/sys does not name it.
const rndReseedCRNG = 0x5207

// stirEntropy credits the bytes to the kernel's pool and reseeds its generator at once, so that no random number handed
// out from now on depends on the snapshot alone.
func stirEntropy(random int, entropy []byte) error {
	if len(entropy) == 0 {
		return fmt.Errorf("no entropy was sent")
	}
	info := poolInfo(entropy)
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(random), unix.RNDADDENTROPY, uintptr(unsafe.Pointer(&info[0])))
	if err := failure(errno); err != nil {
		return fmt.Errorf("RNDADDENTROPY: %w", err)
	}
	_, _, errno = unix.RawSyscall(unix.SYS_IOCTL, uintptr(random), rndReseedCRNG, 0)
	if err := failure(errno); err != nil {
		return fmt.Errorf("RNDRESEEDCRNG: %w", err)
	}
	return nil
}

func poolInfo(entropy []byte) []byte {
	info := make([]byte, poolHeaderBytes+len(entropy))
	binary.NativeEndian.PutUint32(info[0:], uint32(8*len(entropy)))
	binary.NativeEndian.PutUint32(info[4:], uint32(len(entropy)))
	copy(info[poolHeaderBytes:], entropy)
	return info
}

// failure keeps a nil error nil: an Errno of 0 in an error is not.
func failure(errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}
