package containers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

// Target is a running container as a program or a file finds it.
type Target struct {
	ID     string // crun's name for it
	Bundle string
	Pid    int // of its first process, in the guest's own numbers
	// Process is that of its OCI config: who it runs as, and with what environment.
	Process map[string]json.RawMessage
	UID     int
	GID     int
}

// Target finds a container by its name; the first one has none.
func (s *Supervisor) Target(name string) (*Target, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, c := range s.containers {
		if (name == "" || c.name == name) && c.running() {
			return c.target()
		}
	}
	return nil, fmt.Errorf("no container %q runs here", name)
}

func (c *container) target() (*Target, error) {
	number, err := os.ReadFile(c.pidFile())
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(number)))
	if err != nil {
		return nil, err
	}
	target := &Target{ID: c.paths.id, Bundle: c.paths.bundle, Pid: pid}
	return target, target.readProcess(c.spec.GetOciConfigJson())
}

func (t *Target) readProcess(config string) error {
	var document struct{ Process map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(config), &document); err != nil {
		return err
	}
	var user struct{ UID, GID int }
	if raw, present := document.Process["user"]; present {
		if err := json.Unmarshal(raw, &user); err != nil {
			return err
		}
	}
	t.Process, t.UID, t.GID = document.Process, user.UID, user.GID
	return nil
}
