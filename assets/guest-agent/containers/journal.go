package containers

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"time"

	"dormouse/guest-agent/agentpb"
)

const (
	// keptBytes of each container's output are kept at least, with the facts of each line; twice as much at most. It is
	// part of every snapshot, so it is small; what is older was read by the host already.
	keptBytes = 128 << 10
	// A line that is longer comes in pieces: its writer may never end it.
	maxLineBytes = 8 << 10
	// sequence, time, length and kind stand before each line.
	headerBytes = 8 + 8 + 4 + 1
)

// Journal keeps the newest lines that the containers wrote. The lines of all of them are counted together, so that one
// number says how far a reader is. Its memory is reused, not allocated per line: with hardly any garbage collection,
// a chatty container would fill the guest's memory, and every snapshot, with old lines.
type Journal struct {
	mutex    sync.Mutex
	sequence uint64
	books    []*book
	written  chan struct{} // closed at the next line, when somebody waits for one

	following sync.WaitGroup
	ending    chan struct{} // closed when followers are to read the rest and leave
}

// book holds the lines of one container, one record behind the other.
type book struct {
	name    string
	records []byte
	dropped uint64 // bytes that once stood before records
}

func (j *Journal) open(name string) *book {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	b := &book{name: name}
	j.books = append(j.books, b)
	return b
}

// forget takes the book of a container out that was removed; its readers keep what they have.
func (j *Journal) forget(b *book) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.books = slices.DeleteFunc(j.books, func(other *book) bool { return other == b })
}

func (j *Journal) add(b *book, isError bool, text []byte) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.sequence++
	b.append(j.sequence, time.Now().UnixNano(), isError, text)
	if j.written != nil {
		close(j.written)
		j.written = nil
	}
}

func (b *book) append(sequence uint64, unixNanos int64, isError bool, text []byte) {
	var header [headerBytes]byte
	binary.LittleEndian.PutUint64(header[0:], sequence)
	binary.LittleEndian.PutUint64(header[8:], uint64(unixNanos))
	binary.LittleEndian.PutUint32(header[16:], uint32(len(text)))
	if isError {
		header[20] = 1
	}
	b.records = append(append(b.records, header[:]...), text...)
	if len(b.records) > 2*keptBytes {
		b.cut()
	}
}

// cut drops the oldest lines. Only at twice the bound, so that a line does not move the whole book.
func (b *book) cut() {
	start := 0
	for len(b.records)-start > keptBytes {
		start += headerBytes + textLength(b.records[start:])
	}
	b.records = b.records[:copy(b.records, b.records[start:])]
	b.dropped += uint64(start)
}

func textLength(record []byte) int { return int(binary.LittleEndian.Uint32(record[16:])) }

// lines from a position on, which counts the bytes of all records ever; and the position after them.
func (b *book) lines(position uint64) ([]*agentpb.LogLine, uint64) {
	var lines []*agentpb.LogLine
	rest := b.records[max(position, b.dropped)-b.dropped:]
	for len(rest) > 0 {
		end := headerBytes + textLength(rest)
		lines = append(lines, &agentpb.LogLine{
			Sequence: binary.LittleEndian.Uint64(rest[0:]), UnixNanos: int64(binary.LittleEndian.Uint64(rest[8:])),
			Container: b.name, IsError: rest[20] == 1, Text: strings.ToValidUTF8(string(rest[headerBytes:end]), "\uFFFD"),
		})
		rest = rest[end:]
	}
	return lines, b.dropped + uint64(len(b.records))
}

// Reader goes through the journal once, from the oldest line that is kept. It may miss lines only by being slower than
// the whole bound.
type Reader struct {
	journal   *Journal
	positions map[*book]uint64
}

// Read starts at the oldest line.
func (j *Journal) Read() *Reader { return &Reader{journal: j, positions: map[*book]uint64{}} }

// Next returns every line since the last call, in order.
func (r *Reader) Next() []*agentpb.LogLine {
	r.journal.mutex.Lock()
	defer r.journal.mutex.Unlock()
	var all []*agentpb.LogLine
	for _, b := range r.journal.books {
		lines, position := b.lines(r.positions[b])
		r.positions[b] = position
		all = append(all, lines...)
	}
	slices.SortFunc(all, func(a, b *agentpb.LogLine) int { return cmp.Compare(a.GetSequence(), b.GetSequence()) })
	return all
}

// Follow hands every line to emit, those that are there and those that come, until the context or the journal ends it.
func (j *Journal) Follow(ctx context.Context, emit func([]*agentpb.LogLine) error) error {
	ending := j.enter()
	defer j.following.Done()
	reader := j.Read()
	for last := false; ; {
		written := j.nextWrite()
		if err := emit(reader.Next()); err != nil || last {
			return err
		}
		select {
		case <-written:
		case <-ending:
			last = true
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (j *Journal) enter() <-chan struct{} {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.following.Add(1)
	if j.ending == nil {
		j.ending = make(chan struct{})
	}
	return j.ending
}

func (j *Journal) nextWrite() <-chan struct{} {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	if j.written == nil {
		j.written = make(chan struct{})
	}
	return j.written
}

// EndFollowers lets every follower read the rest and waits until they have left. Those that come later follow on.
func (j *Journal) EndFollowers() {
	j.mutex.Lock()
	if j.ending != nil {
		close(j.ending)
		j.ending = nil
	}
	j.mutex.Unlock()
	j.following.Wait()
}

// tail returns a container's last lines.
func (j *Journal) tail(b *book, count int) string {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	lines, _ := b.lines(0)
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(line.GetText())
		text.WriteByte('\n')
	}
	return LastLines(strings.TrimRight(text.String(), "\n"), count)
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
