package port

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Find returns the device of the port that the host named name. There is no udev in the guest to make
// /dev/virtio-ports, so the names are read from sysfs. The kernel probes devices while init starts: wait for it.
func Find(name string, limit time.Duration) (string, error) {
	deadline := time.Now().Add(limit)
	for {
		if device := lookUp("/sys/class/virtio-ports", name); device != "" {
			return device, nil
		}
		if time.Now().After(deadline) {
			return "", fmt.Errorf("no virtio port named %q appeared within %s", name, limit)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func lookUp(class, name string) string {
	entries, _ := filepath.Glob(filepath.Join(class, "*", "name"))
	for _, entry := range entries {
		content, err := os.ReadFile(entry)
		if err == nil && strings.TrimSpace(string(content)) == name {
			return filepath.Join("/dev", filepath.Base(filepath.Dir(entry)))
		}
	}
	return ""
}
