package execute

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// chunkBytes is what one message carries of an output.
const chunkBytes = 32 << 10

// copyOutput hands over what comes out of a pipe or a terminal until nobody has its other side open, or, after
// endOutput, until there is nothing more in it. It waits for the taker as long as that takes, and loses nothing.
func copyOutput(to io.Writer, from *os.File) {
	buffer := make([]byte, chunkBytes)
	read := from.Read
	for {
		count, err := read(buffer)
		if count > 0 {
			if _, err := to.Write(buffer[:count]); err != nil {
				to = io.Discard // nobody listens any more, and the program is about to be killed
			}
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			_ = from.SetReadDeadline(time.Time{})
			read = func(into []byte) (int, error) { return readWhatIsThere(from, into) }
		case err != nil || count == 0:
			return
		}
	}
}

// endOutput is called when the program has ended: a child of it may hold its output open for ever.
func endOutput(from *os.File) { _ = from.SetReadDeadline(time.Now().Add(outputGrace)) }

func readWhatIsThere(from *os.File, into []byte) (count int, failure error) {
	raw, err := from.SyscallConn()
	if err != nil {
		return 0, err
	}
	err = raw.Read(func(descriptor uintptr) bool {
		count, failure = unix.Read(int(descriptor), into)
		return true
	})
	if err != nil {
		return 0, err
	}
	return max(count, 0), failure
}
