package files

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"golang.org/x/sys/unix"
)

// writeArchive packs what a folder holds, without following links and without leaving its file system: /proc below / is
// of no use to anyone. What vanishes meanwhile is left out.
func writeArchive(to io.Writer, folder *os.File) error {
	archive := tar.NewWriter(to)
	var stat unix.Stat_t
	if err := unix.Fstat(int(folder.Fd()), &stat); err != nil {
		return err
	}
	if err := packFolder(archive, folder, "", stat.Dev); err != nil {
		return err
	}
	return archive.Close()
}

func packFolder(archive *tar.Writer, folder *os.File, prefix string, device uint64) error {
	entries, err := folder.ReadDir(-1)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		err := packEntry(archive, folder, entry.Name(), prefix+entry.Name(), device)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func packEntry(archive *tar.Writer, folder *os.File, base, name string, device uint64) error {
	at := int(folder.Fd())
	var stat unix.Stat_t
	if err := unix.Fstatat(at, base, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	header := &tar.Header{Name: name, Mode: int64(stat.Mode & 0o7777), Uid: int(stat.Uid), Gid: int(stat.Gid),
		ModTime: time.Unix(0, stat.Mtim.Nano()), Format: tar.FormatPAX}
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return packFile(archive, header, at, base)
	case unix.S_IFLNK:
		target := make([]byte, unix.PathMax)
		count, err := unix.Readlinkat(at, base, target)
		if err != nil {
			return err
		}
		header.Typeflag, header.Linkname = tar.TypeSymlink, string(target[:count])
		return archive.WriteHeader(header)
	case unix.S_IFDIR:
		if stat.Dev != device {
			return nil
		}
		return packSubfolder(archive, header, at, base, device)
	}
	return nil // sockets, pipes and devices say nothing outside of their machine
}

func packSubfolder(archive *tar.Writer, header *tar.Header, at int, base string, device uint64) error {
	inner, err := openBelow(at, base, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer inner.Close()
	prefix := header.Name + "/"
	header.Typeflag, header.Name = tar.TypeDir, prefix
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	return packFolder(archive, inner, prefix, device)
}

func packFile(archive *tar.Writer, header *tar.Header, at int, base string) error {
	file, err := openBelow(at, base, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err // it became something else: left out
	}
	header.Typeflag, header.Size = tar.TypeReg, info.Size()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	count, err := io.CopyBuffer(onlyWriter{archive}, io.LimitReader(file, header.Size), make([]byte, chunkBytes))
	if err != nil {
		return err
	}
	// A file that was cut short meanwhile: the archive promised its old length.
	_, err = io.CopyN(archive, zeros{}, header.Size-count)
	return err
}

func openBelow(at int, base string, flags int) (*os.File, error) {
	descriptor, err := unix.Openat(at, base, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(descriptor), base), nil
}

type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	clear(into)
	return len(into), nil
}

// Unpack puts what an archive holds into a folder of the root, which is made if need be. Each entry is resolved inside the
// root anew, so a link in the archive leads no later entry out of it. Everything belongs to the container's user.
func (r *Root) Unpack(name string, from io.Reader) (uint64, error) {
	base, err := clean(name)
	if err != nil {
		return 0, err
	}
	folder, err := r.folderAt(base)
	if err != nil {
		return 0, err
	}
	_ = folder.Close()
	archive := tar.NewReader(from)
	for written := uint64(0); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return written, nil
		}
		if err != nil {
			return written, badArchive(err)
		}
		count, err := r.unpackEntry(path.Join(base, path.Clean("/"+header.Name)), header, archive)
		if written += count; err != nil {
			return written, badArchive(err)
		}
	}
}

func badArchive(err error) error {
	if errors.Is(err, tar.ErrHeader) {
		return refuse("invalid-input", "what was sent is not a tar archive")
	}
	return err
}

func (r *Root) unpackEntry(name string, header *tar.Header, content io.Reader) (uint64, error) {
	switch header.Typeflag {
	case tar.TypeReg:
		return r.Write(name, uint32(header.Mode)&0o7777, content)
	case tar.TypeDir:
		folder, err := r.folderAt(name)
		if err != nil {
			return 0, err
		}
		return 0, folder.Close()
	case tar.TypeSymlink:
		return 0, r.link(name, header.Linkname)
	case tar.TypeXGlobalHeader:
		return 0, nil
	}
	return 0, refuse("file-not-usable", "the archive's %s is neither a file, a folder nor a symbolic link", header.Name)
}

func (r *Root) link(name, target string) error {
	parent, err := r.folderAt(path.Dir(name))
	if err != nil {
		return err
	}
	defer parent.Close()
	at, base := int(parent.Fd()), path.Base(name)
	if err := unix.Unlinkat(at, base, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return explain(err, name)
	}
	if err := unix.Symlinkat(target, at, base); err != nil {
		return explain(err, name)
	}
	return explain(unix.Fchownat(at, base, r.owner.UID, r.owner.GID, unix.AT_SYMLINK_NOFOLLOW), name)
}
