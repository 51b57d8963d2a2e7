package containers

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// LowerDir is where the host's shared folder is mounted: <LowerDir>/<container name>/rootfs.
	LowerDir = "/run/dormouse-lower"
	// IdentityDir holds actor.json; each container sees it at /run/dormouse.
	IdentityDir = "/run/dormouse-identity"
	stateDir    = "/run/dormouse-containers"
	lowerTag    = "lower"
)

// paths of one container in the guest.
type paths struct {
	id     string // crun's name for it
	lower  string
	bundle string
	writes string // the tmpfs that holds upper and work
	root   string // the overlay
}

func pathsOf(name string) paths {
	id := name + "_c"
	bundle := stateDir + "/" + id
	return paths{id: id, lower: LowerDir + "/" + name + "/rootfs", bundle: bundle, writes: bundle + "/writes", root: bundle + "/rootfs"}
}

// mountLower attaches the host's shared folder, once. The device may appear only when the first Start comes (a VM that
// was restored before any image was attached), so this is not done at boot.
func mountLower() error {
	if mounted(LowerDir) {
		return nil
	}
	if err := os.MkdirAll(LowerDir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(lowerTag, LowerDir, "virtiofs", unix.MS_RDONLY|unix.MS_NODEV, ""); err != nil {
		return fmt.Errorf("mount virtiofs %q: %w", lowerTag, err)
	}
	return nil
}

// mountRoot gives a container its writable root: the shared lower below, its own size-capped tmpfs above.
func mountRoot(paths paths, upperBytes uint64) error {
	if _, err := os.Stat(paths.lower); err != nil {
		return fmt.Errorf("the image's root file system: %w", err)
	}
	for _, folder := range []string{paths.writes, paths.root} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount("upper", paths.writes, "tmpfs", 0, tmpfsOptions(upperBytes)); err != nil {
		return fmt.Errorf("mount the upper tmpfs: %w", err)
	}
	upper, work := paths.writes+"/upper", paths.writes+"/work"
	for _, folder := range []string{upper, work} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			return err
		}
	}
	if err := copyRootAttributes(paths.lower, upper); err != nil {
		return err
	}
	// index=off: file handles of the lower do not outlive a restore. redirect_dir=on: lower folders can be renamed.
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,index=off,redirect_dir=on", paths.lower, upper, work)
	if err := unix.Mount("overlay", paths.root, "overlay", 0, options); err != nil {
		return fmt.Errorf("mount overlay (%s): %w", options, err)
	}
	return nil
}

func tmpfsOptions(upperBytes uint64) string {
	if upperBytes == 0 {
		return "mode=0755"
	}
	return fmt.Sprintf("mode=0755,size=%d", upperBytes)
}

// copyRootAttributes: the overlay's root directory shows the upper's owner and mode.
func copyRootAttributes(lower, upper string) error {
	var stat unix.Stat_t
	if err := unix.Stat(lower, &stat); err != nil {
		return err
	}
	if err := unix.Chown(upper, int(stat.Uid), int(stat.Gid)); err != nil {
		return err
	}
	return unix.Chmod(upper, stat.Mode&0o7777)
}

// unmountRoot undoes mountRoot, whatever of it was done.
func unmountRoot(paths paths) {
	for _, target := range []string{paths.root, paths.writes} {
		_ = unix.Unmount(target, unix.MNT_DETACH)
	}
}

// mounted tells whether path is a mount point: its device differs from its parent's.
func mounted(path string) bool {
	var inside, outside unix.Stat_t
	if unix.Stat(path, &inside) != nil || unix.Stat(path+"/..", &outside) != nil {
		return false
	}
	return inside.Dev != outside.Dev
}
