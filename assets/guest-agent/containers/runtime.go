package containers

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

const (
	crunFile = "/usr/bin/crun"

	// What crun asks of its own program before it runs anything of a container, which could otherwise write to it.
	runtimeSeals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
)

// runtimeProgram is what Crun starts. Set once, before anything asks for it.
var runtimeProgram = crunFile

// SealRuntime copies crun into memory that can never be written to. Started from a plain file crun does that itself, and
// then starts itself once more: for each container and each program in one, within a user's wait. Done before the guest
// becomes a zygote, no start pays for it.
func SealRuntime() error {
	program, err := os.ReadFile(crunFile)
	if err != nil {
		return err
	}
	descriptor, err := sealed("crun", program)
	if err != nil {
		return fmt.Errorf("seal %s: %w", crunFile, err)
	}
	// In the child, before its descriptors are closed by the exec.
	runtimeProgram = fmt.Sprintf("/proc/self/fd/%d", descriptor)
	return nil
}

func sealed(name string, content []byte) (int, error) {
	descriptor, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_EXEC)
	if err != nil {
		return -1, err
	}
	for len(content) > 0 && err == nil {
		count := 0
		count, err = unix.Write(descriptor, content)
		content = content[max(count, 0):]
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(descriptor), unix.F_ADD_SEALS, runtimeSeals)
	}
	if err != nil {
		_ = unix.Close(descriptor)
		return -1, err
	}
	return descriptor, nil
}

// Crun is a command of the container runtime.
func Crun(ctx context.Context, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, runtimeProgram, arguments...)
	command.Args[0] = crunFile
	return command
}
