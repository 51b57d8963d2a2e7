// The guest agent: the only thing in the VM that the host talks to. It serves shared/proto/agent.proto on the
// virtio-serial port named "agent" and runs the actor's containers.
//
// It is fail-stop: if it ends, init powers the VM off, and the host falls back to the actor's last generation.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"dormouse/guest-agent/agentpb"
	"dormouse/guest-agent/containers"
	"dormouse/guest-agent/port"
	"dormouse/guest-agent/wake"
)

const (
	portName  = "agent"
	wakeName  = "wake"
	portLimit = 20 * time.Second // generous: under emulation on a busy machine, devices appear late

	// The runtime's own collections come at any time, every two minutes at least, and touch pages that are then shipped
	// with the next snapshot. With GOGC off they come only near this limit; Quiesce collects instead (garbage.go).
	memoryLimitBytes = 48 << 20

	// An actor's dump can hold several logs of 64 KiB and the kernel's.
	maxMessageBytes = 16 << 20

	// What gRPC sets aside per connection; its defaults are for many clients on a network.
	bufferBytes = 8 << 10
)

// version is the digest of what the agent was built from (set by the linker).
var version = "unversioned"

func main() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryLimitBytes)
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "dormouse: guest agent:", err)
		os.Exit(1)
	}
}

func serve() error {
	if err := containers.SealRuntime(); err != nil {
		return err
	}
	device, err := port.Find(portName, portLimit)
	if err != nil {
		return err
	}
	listener, err := port.Listen(device)
	if err != nil {
		return err
	}
	wakes, err := openWakes()
	if err != nil {
		return err
	}
	guest, err := wake.OpenGuest(containers.IdentityDir)
	if err != nil {
		return err
	}
	supervisor := &containers.Supervisor{OnExit: powerOff}
	agent := &server{supervisor: supervisor, version: version}
	go serveWakes(wakes, guest, agent.quiesce)
	endpoint := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageBytes), grpc.MaxSendMsgSize(maxMessageBytes),
		grpc.ReadBufferSize(bufferBytes), grpc.WriteBufferSize(bufferBytes), grpc.SharedWriteBuffer(true))
	agentpb.RegisterAgentServer(endpoint, agent)
	return endpoint.Serve(listener)
}

// powerOff ends the VM when a container ended: the host sees it end and reads why on the console.
func powerOff(name string, exitCode int, log string) {
	fmt.Printf("dormouse: container %s exited with %d\n%s\n", name, exitCode, log)
	_ = unix.IoctlSetInt(int(os.Stdout.Fd()), unix.TCSBRK, 1) // the power goes before the serial line has sent what was printed
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Println("dormouse: power off:", err)
		os.Exit(1)
	}
}
