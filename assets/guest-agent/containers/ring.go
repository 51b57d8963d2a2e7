package containers

import (
	"bytes"
	"strings"
	"sync"
)

// ringBytes bounds what is kept of a container's output: enough for a stack trace, small enough to ride in an error.
const ringBytes = 64 << 10

// ring keeps the last bytes written to it. It grows with what is written, so that a silent container costs no memory.
type ring struct {
	mutex sync.Mutex
	bytes []byte
}

// Write never fails and never blocks: a container's output must not depend on who reads it.
func (r *ring) Write(chunk []byte) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.bytes = append(r.bytes, chunk...)
	// Cut only at twice the bound, so that a chatty container does not move the whole ring for each line.
	if len(r.bytes) > 2*ringBytes {
		kept := copy(r.bytes, r.bytes[len(r.bytes)-ringBytes:])
		r.bytes = r.bytes[:kept]
	}
	return len(chunk), nil
}

// tail returns the last lines, at most ringBytes of them, as valid UTF-8.
func (r *ring) tail(lines int) string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	kept := r.bytes[max(0, len(r.bytes)-ringBytes):]
	return LastLines(strings.ToValidUTF8(string(bytes.TrimRight(kept, "\n")), "\uFFFD"), lines)
}

// LastLines cuts a text to its last lines.
func LastLines(text string, lines int) string {
	rest := len(text)
	for ; lines > 0; lines-- {
		if rest = strings.LastIndexByte(text[:rest], '\n'); rest < 0 {
			return text
		}
	}
	return text[min(rest+1, len(text)):]
}
