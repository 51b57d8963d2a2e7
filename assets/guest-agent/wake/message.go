package wake

import (
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf8"
)

// Messages on the wake port: what the host says right before a guest's first request and right before it is frozen.
//
//	u32  length of what follows
//	u8   kind
//	     of a wake:
//	i64  wall clock, nanoseconds since the Unix epoch
//	u8   length of the entropy, then the entropy
//	     the identity: all the rest, JSON; empty for a guest that is nobody's yet
//	     of a quiesce: nothing
//
// Little endian. The guest answers with one byte once all of it has been done: Done, or Refused with the reason on its
// console.
type Message struct {
	Kind      byte
	UnixNanos int64
	Entropy   []byte
	Identity  []byte
}

const (
	Wake    byte = 1
	Quiesce byte = 2

	Done    byte = 0
	Refused byte = 1

	lengthBytes = 4
	fixedBytes  = 1 + 8 + 1

	// An identity is some hundred bytes; a length beyond this is no message.
	maxMessageBytes = 64 << 10
)

// ReadMessage reads one message. An error means that the stream cannot be trusted any further.
func ReadMessage(from io.Reader) (Message, error) {
	var header [lengthBytes]byte
	if _, err := io.ReadFull(from, header[:]); err != nil {
		return Message{}, err
	}
	length := binary.LittleEndian.Uint32(header[:])
	if length == 0 || length > maxMessageBytes {
		return Message{}, fmt.Errorf("a wake port message of %d bytes", length)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(from, body); err != nil {
		return Message{}, err
	}
	return parse(body)
}

func parse(body []byte) (Message, error) {
	switch {
	case body[0] == Quiesce && len(body) == 1:
		return Message{Kind: Quiesce}, nil
	case body[0] == Wake && len(body) >= fixedBytes:
		return parseWake(body)
	default:
		return Message{}, fmt.Errorf("a wake port message of kind %d and %d bytes", body[0], len(body))
	}
}

func parseWake(body []byte) (Message, error) {
	entropyEnd := fixedBytes + int(body[fixedBytes-1])
	if entropyEnd > len(body) {
		return Message{}, fmt.Errorf("a wake message of %d bytes with %d of entropy", len(body), body[fixedBytes-1])
	}
	identity := body[entropyEnd:]
	if !utf8.Valid(identity) {
		return Message{}, fmt.Errorf("a wake message with an identity that is no text")
	}
	return Message{Kind: Wake, UnixNanos: int64(binary.LittleEndian.Uint64(body[1:])),
		Entropy: body[fixedBytes:entropyEnd], Identity: identity}, nil
}
