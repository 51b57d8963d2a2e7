package port

import (
	"os"
	"syscall"
)

// Stream is a port read and written as it is, without connections: bytes come while a host is there, and a host that
// left is waited for. For messages that must find their reader already waiting.
type Stream struct {
	file *os.File
	raw  syscall.RawConn
}

// OpenStream opens the port at path.
func OpenStream(path string) (*Stream, error) {
	file, raw, err := open(path)
	if err != nil {
		return nil, err
	}
	return &Stream{file: file, raw: raw}, nil
}

// Read waits for at least one byte.
func (s *Stream) Read(into []byte) (int, error) {
	return readSome(s.raw, into, waitForHost)
}

// Write writes all of it. Without a host it waits for one.
func (s *Stream) Write(from []byte) (int, error) {
	return s.file.Write(from)
}
