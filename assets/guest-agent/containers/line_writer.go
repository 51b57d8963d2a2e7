package containers

import "bytes"

// lineWriter cuts one output of a container into lines. It is written to by one goroutine.
type lineWriter struct {
	journal *Journal
	book    *book
	isError bool
	begun   []byte // of a line that has not ended
}

// Write never fails and never blocks: a container's output must not depend on who reads it.
func (w *lineWriter) Write(chunk []byte) (int, error) {
	for rest := chunk; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		room := maxLineBytes - len(w.begun)
		if end < 0 || end > room {
			piece := rest[:min(len(rest), room)]
			w.begun = append(w.begun, piece...)
			rest = rest[len(piece):]
			if len(w.begun) == maxLineBytes {
				w.flush()
			}
			continue
		}
		w.begun = append(w.begun, rest[:end]...)
		w.journal.add(w.book, w.isError, bytes.TrimSuffix(w.begun, []byte{'\r'}))
		w.begun = w.begun[:0]
		rest = rest[end+1:]
	}
	return len(chunk), nil
}

// flush takes what was begun for a line: a piece of a long one, or the last words of a container that ended.
func (w *lineWriter) flush() {
	if len(w.begun) == 0 {
		return
	}
	w.journal.add(w.book, w.isError, w.begun)
	w.begun = w.begun[:0]
}
