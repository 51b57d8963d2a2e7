package containers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

func TestASealedProgramRunsAndCannotBeChanged(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(shell)
	if err != nil {
		t.Fatal(err)
	}
	descriptor, err := sealed("sh", content)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(descriptor)
	defer func(before string) { runtimeProgram = before }(runtimeProgram)
	runtimeProgram = fmt.Sprintf("/proc/self/fd/%d", descriptor)
	output, err := Crun(context.Background(), "-c", "echo $0 $(readlink /proc/$$/exe)").CombinedOutput()
	if err != nil || string(output) != crunFile+" /memfd:sh (deleted)\n" {
		t.Errorf("%q, %v", output, err)
	}
	if _, err := unix.Pwrite(descriptor, []byte("x"), 0); err != unix.EPERM {
		t.Errorf("written to: %v", err)
	}
	if err := unix.Ftruncate(descriptor, 1); err != unix.EPERM {
		t.Errorf("cut short: %v", err)
	}
	if seals, err := unix.FcntlInt(uintptr(descriptor), unix.F_GET_SEALS, 0); err != nil || seals&runtimeSeals != runtimeSeals {
		t.Errorf("seals %#x, %v", seals, err)
	}
}
