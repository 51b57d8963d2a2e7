// Package inspect describes the guest in words, for an error message or a log. Nothing in it can fail: what cannot be
// read is said in place.
package inspect

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"dormouse/guest-agent/agentpb"
	"dormouse/guest-agent/containers"
)

// defaultTailLines is what a dump holds of each log when the caller does not say.
const defaultTailLines = 60

// maxKernelLogBytes is more than the kernel's default ring holds.
const maxKernelLogBytes = 512 << 10

// Guest gathers mounts, processes, kernel log, memory and the state of each container.
func Guest(supervisor *containers.Supervisor, tailLines int) *agentpb.InspectReply {
	if tailLines <= 0 {
		tailLines = defaultTailLines
	}
	return &agentpb.InspectReply{
		Mounts:               readText("/proc/self/mounts"),
		Processes:            processes(),
		KernelLogTail:        kernelLogTail(tailLines),
		Containers:           supervisor.States(tailLines),
		MemoryAvailableBytes: memoryAvailable(readText("/proc/meminfo")),
	}
}

// levels are the numbers in angle brackets that the kernel puts before each line.
var levels = regexp.MustCompile(`(?m)^<\d+>`)

func readText(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return strings.ToValidUTF8(string(content), "\uFFFD")
}

func kernelLogTail(lines int) string {
	buffer := make([]byte, maxKernelLogBytes)
	count, err := unix.Klogctl(unix.SYSLOG_ACTION_READ_ALL, buffer)
	if err != nil {
		return err.Error()
	}
	text := strings.ToValidUTF8(string(bytes.TrimRight(buffer[:count], "\n")), "\uFFFD")
	return levels.ReplaceAllString(containers.LastLines(text, lines), "")
}

// processes lists pid, parent, state and command line of each process that is not a kernel thread.
func processes() string {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err.Error()
	}
	var list strings.Builder
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err == nil {
			list.WriteString(processLine(entry.Name()))
		}
	}
	return list.String()
}

func processLine(pid string) string {
	command, _ := os.ReadFile("/proc/" + pid + "/cmdline")
	status, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil || len(command) == 0 {
		return ""
	}
	state, parent := stateAndParent(string(status))
	words := strings.ToValidUTF8(string(bytes.ReplaceAll(bytes.TrimRight(command, "\x00"), []byte{0}, []byte{' '})), "\uFFFD")
	return fmt.Sprintf("%s %s %s %s\n", pid, parent, state, words)
}

// stateAndParent reads /proc/<pid>/stat after the command name, which may hold blanks and parentheses itself.
func stateAndParent(stat string) (state, parent string) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return "?", "?"
	}
	return fields[0], fields[1]
}

func memoryAvailable(meminfo string) uint64 {
	for _, line := range strings.Split(meminfo, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "MemAvailable:" {
			kibibytes, _ := strconv.ParseUint(fields[1], 10, 64)
			return kibibytes << 10
		}
	}
	return 0
}
