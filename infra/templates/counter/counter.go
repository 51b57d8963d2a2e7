package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// counter holds one count that lives in memory alone and one that lives in a file.
type counter struct {
	mutex   sync.Mutex
	memory  int
	file    string
	nonce   string
	started time.Time
	backend string
}

const warmUpPath = "/warm-up"

// newCounter makes the nonce: it exists in this process's memory only, so it changes exactly when the program starts anew.
// The file is there before the first call: what is done before a program is ready is done once for all actors, and the first
// write to a folder of an image costs more than any other.
func newCounter(folder, backend string) (*counter, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "count")
	if _, err := os.Stat(file); os.IsNotExist(err) {
		if err := os.WriteFile(file, []byte("0\n"), 0o644); err != nil {
			return nil, err
		}
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	return &counter{
		file:    file,
		nonce:   hex.EncodeToString(nonce),
		started: time.Now(),
		backend: backend,
	}, nil
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.count(w, r, 1) }

// warmUp runs what a counted call runs and changes nothing. A backend is warmed up along, and counts nothing either.
func (c *counter) warmUp(w http.ResponseWriter, r *http.Request) { c.count(w, r, 0) }

func (c *counter) count(w http.ResponseWriter, r *http.Request, by int) {
	memory, file, err := c.increment(by)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	hostname, _ := os.Hostname()
	reply := map[string]any{
		"memory": memory, "file": file, "nonce": c.nonce, "path": r.URL.Path, "hostname": hostname,
		"startedAt": c.started.UTC().Format(time.RFC3339Nano),
	}
	if c.backend != "" {
		address := c.backend
		if by == 0 {
			address = strings.TrimSuffix(address, "/") + warmUpPath
		}
		if reply["back"], err = callBackend(r, address); err != nil {
			refuse(w, http.StatusBadGateway, err)
			return
		}
	}
	answer(w, reply)
}

func (c *counter) increment(by int) (memory, file int, err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	text, err := os.ReadFile(c.file)
	if err != nil && !os.IsNotExist(err) {
		return 0, 0, err
	}
	// A file that is not there yet counts as zero; one with anything but a number in it is an error worth seeing.
	if len(text) > 0 {
		if file, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
			return 0, 0, err
		}
	}
	file += by
	if err := os.WriteFile(c.file, []byte(strconv.Itoa(file)+"\n"), 0o644); err != nil {
		return 0, 0, err
	}
	c.memory += by
	return c.memory, file, nil
}

// backendClient bounds a call to the other container, which is in the same VM: seconds mean that it hangs.
var backendClient = &http.Client{Timeout: 10 * time.Second}

func callBackend(r *http.Request, address string) (json.RawMessage, error) {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := backendClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %s", address, response.Status, body)
	}
	return body, err
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the caller went away: nobody left to tell
}

func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}
