package wake

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func frame(body []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func body(unixNanos int64, entropy, identity string) []byte {
	bytes := binary.LittleEndian.AppendUint64([]byte{Wake}, uint64(unixNanos))
	bytes = append(bytes, byte(len(entropy)))
	return append(append(bytes, entropy...), identity...)
}

func TestReadMessageTakesOneAfterTheOtherInAnyPieces(t *testing.T) {
	first := frame(body(1_700_000_000_123_456_789, "0123456789abcdef", `{"id":"alice"}`))
	second := frame(body(-1, "", ""))
	stream := iotest.OneByteReader(bytes.NewReader(bytes.Join([][]byte{first, second, frame([]byte{Quiesce})}, nil)))
	message, err := ReadMessage(stream)
	if err != nil || message.Kind != Wake || message.UnixNanos != 1_700_000_000_123_456_789 || string(message.Entropy) != "0123456789abcdef" ||
		string(message.Identity) != `{"id":"alice"}` {
		t.Errorf("%+v, %v", message, err)
	}
	if message, err = ReadMessage(stream); err != nil || message.UnixNanos != -1 || len(message.Entropy) != 0 {
		t.Errorf("%+v, %v", message, err)
	}
	if message, err = ReadMessage(stream); err != nil || message.Kind != Quiesce {
		t.Errorf("%+v, %v", message, err)
	}
	if _, err = ReadMessage(stream); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestReadMessageRefusesWhatIsNoMessage(t *testing.T) {
	whole := frame(body(1, "entropy", "{}"))
	for name, bad := range map[string][]byte{
		"cut in its length":        whole[:3],
		"cut in its body":          whole[:len(whole)-1],
		"shorter than its fields":  frame(body(1, "", "")[:fixedBytes-1]),
		"more entropy than bytes":  frame(append(body(1, "", "")[:fixedBytes-1], 200)),
		"a quiesce with something": frame([]byte{Quiesce, 0}),
		"of a kind unknown":        frame([]byte{3}),
		"an endless length":        {0xff, 0xff, 0xff, 0xff},
		"an identity of no text":   frame(body(1, "entropy", "\xff\xfe")),
		"longer than an identity":  frame(body(1, "entropy", strings.Repeat("x", maxMessageBytes))),
		"of nothing":               frame(nil),
	} {
		if message, err := ReadMessage(bytes.NewReader(bad)); err == nil {
			t.Errorf("%s: taken as %+v", name, message)
		}
	}
}
