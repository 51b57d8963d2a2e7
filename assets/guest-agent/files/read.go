package files

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Facts of what is read.
type Facts struct {
	SizeBytes         uint64
	Mode              uint32
	ModifiedUnixNanos int64
	IsFolder          bool
}

// Opened is a regular file or a folder. Anything else is refused before it is really opened: opening a device may do
// something.
type Opened struct {
	Facts Facts
	file  *os.File
}

// Close gives it back.
func (o *Opened) Close() { _ = o.file.Close() }

// OpenForRead finds what stands at a path.
func (r *Root) OpenForRead(name string) (*Opened, error) {
	name, err := clean(name)
	if err != nil {
		return nil, err
	}
	found, err := r.open(name, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	facts, err := factsOf(found, name)
	if err != nil {
		return nil, err
	}
	opened, err := os.Open("/proc/self/fd/" + strconv.Itoa(int(found.Fd())))
	if err != nil {
		return nil, explain(err, name)
	}
	return &Opened{Facts: facts, file: opened}, nil
}

func factsOf(file *os.File, name string) (Facts, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &stat); err != nil {
		return Facts{}, explain(err, name)
	}
	facts := Facts{SizeBytes: uint64(stat.Size), Mode: stat.Mode & 0o7777, ModifiedUnixNanos: stat.Mtim.Nano()}
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return facts, nil
	case unix.S_IFDIR:
		facts.IsFolder, facts.SizeBytes = true, 0
		return facts, nil
	}
	return Facts{}, refuse("file-not-usable", "%s is neither a file nor a folder", name)
}

// CopyTo hands over a file's bytes, or a folder as a tar archive.
func (o *Opened) CopyTo(to io.Writer) error {
	if o.Facts.IsFolder {
		return writeArchive(to, o.file)
	}
	_, err := io.CopyBuffer(onlyWriter{to}, onlyReader{o.file}, make([]byte, chunkBytes))
	return err
}

// chunkBytes is what one message carries of a file.
const chunkBytes = 32 << 10

// Without these io.Copy would find shortcuts around the buffer's size.
type onlyWriter struct{ io.Writer }
type onlyReader struct{ io.Reader }
