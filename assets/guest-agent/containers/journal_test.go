package containers

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"dormouse/guest-agent/agentpb"
)

func writerOf(journal *Journal, name string) (*book, *lineWriter) {
	book := journal.open(name)
	return book, &lineWriter{journal: journal, book: book}
}

func texts(lines []*agentpb.LogLine) string {
	var all []string
	for _, line := range lines {
		all = append(all, line.GetText())
	}
	return strings.Join(all, "|")
}

func TestTheJournalKeepsTheEndAndTheNumbers(t *testing.T) {
	var journal Journal
	book, output := writerOf(&journal, "web")
	count := 3 * keptBytes / (headerBytes + 7)
	for range count {
		_, _ = output.Write([]byte("1234567\n"))
	}
	_, _ = output.Write([]byte("the end\n"))
	if len(book.records) > 2*keptBytes || len(book.records) < keptBytes {
		t.Fatalf("the book has %d bytes", len(book.records))
	}
	lines := journal.Read().Next()
	last := lines[len(lines)-1]
	if last.GetText() != "the end" || last.GetSequence() != uint64(count+1) || last.GetUnixNanos() == 0 {
		t.Fatalf("the last line is %v", last)
	}
	for index, line := range lines {
		if want := last.GetSequence() - uint64(len(lines)-1-index); line.GetSequence() != want {
			t.Fatalf("line %d has the number %d, not %d", index, line.GetSequence(), want)
		}
	}
	if got := journal.tail(book, 2); got != "1234567\nthe end" {
		t.Fatalf("tail %q", got)
	}
}

func TestLinesComeWholeHoweverTheyWereWritten(t *testing.T) {
	var journal Journal
	_, output := writerOf(&journal, "web")
	for _, chunk := range []string{"on", "e\ntwo\r\n\nbad \xff\xfe bytes\nbegun"} {
		_, _ = output.Write([]byte(chunk))
	}
	reader := journal.Read()
	if got := texts(reader.Next()); got != "one|two||bad \uFFFD bytes" {
		t.Fatalf("lines %q", got)
	}
	output.flush()
	output.flush()
	if got := texts(reader.Next()); got != "begun" {
		t.Fatalf("flushed %q", got)
	}
	_, _ = output.Write([]byte(strings.Repeat("x", maxLineBytes+3) + "\n"))
	if pieces := reader.Next(); len(pieces) != 2 || len(pieces[0].GetText()) != maxLineBytes || pieces[1].GetText() != "xxx" {
		t.Fatalf("a long line came as %d", len(pieces))
	}
}

func TestAReaderSeesEachLineOfEveryContainerOnceAndInOrder(t *testing.T) {
	var journal Journal
	_, web := writerOf(&journal, "web")
	_, store := writerOf(&journal, "store")
	store.isError = true
	reader := journal.Read()
	var seen []string
	for round := range 50 {
		_, _ = web.Write(fmt.Appendf(nil, "w%d\n", round))
		_, _ = store.Write(fmt.Appendf(nil, "s%d\n", round))
		for _, line := range reader.Next() {
			if line.GetIsError() != (line.GetContainer() == "store") || line.GetSequence() != uint64(len(seen)+1) {
				t.Fatalf("line %v after %d", line, len(seen))
			}
			seen = append(seen, line.GetText())
		}
	}
	if len(seen) != 100 || seen[98] != "w49" || seen[99] != "s49" {
		t.Fatalf("saw %d lines", len(seen))
	}
}

func TestAFollowerGetsWhatComesAndEndsWithTheRest(t *testing.T) {
	var journal Journal
	_, output := writerOf(&journal, "web")
	var mutex sync.Mutex
	var got []string
	first := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- journal.Follow(context.Background(), func(lines []*agentpb.LogLine) error {
			mutex.Lock()
			defer mutex.Unlock()
			if got = append(got, texts(lines)); len(got) == 1 {
				close(first)
			}
			return nil
		})
	}()
	<-first
	_, _ = output.Write([]byte("one\ntwo\n"))
	journal.EndFollowers()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if all := strings.Trim(strings.Join(got, "|"), "|"); strings.ReplaceAll(all, "||", "|") != "one|two" {
		t.Fatalf("followed %q", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := journal.Follow(ctx, func([]*agentpb.LogLine) error { return nil }); err != context.Canceled {
		t.Fatalf("a follower without a host ended with %v", err)
	}
	journal.EndFollowers()
}

func TestLastLines(t *testing.T) {
	for _, test := range []struct {
		text  string
		lines int
		want  string
	}{{"a\nb\nc", 2, "b\nc"}, {"a\nb\nc", 3, "a\nb\nc"}, {"a\nb\nc", 9, "a\nb\nc"}, {"a\nb\nc", 0, ""}, {"", 3, ""}, {"a", 1, "a"}} {
		if got := LastLines(test.text, test.lines); got != test.want {
			t.Errorf("LastLines(%q, %d) = %q, want %q", test.text, test.lines, got, test.want)
		}
	}
}
