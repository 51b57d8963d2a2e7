package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// slow answers after ?ms= milliseconds, unless the caller goes away first.
func slow(w http.ResponseWriter, r *http.Request) {
	milliseconds := number(r, "ms", 1000)
	if pause(r, milliseconds) {
		answer(w, map[string]any{"sleptMs": milliseconds})
	}
}

// stream sends ?count= lines, one every ?ms= milliseconds.
func stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	controller := http.NewResponseController(w)
	for line := range number(r, "count", 10) {
		if line > 0 && !pause(r, number(r, "ms", 100)) {
			return
		}
		if _, err := fmt.Fprintf(w, "%d\n", line); err != nil {
			return
		}
		if err := controller.Flush(); err != nil {
			return
		}
	}
}

// pause answers whether the caller is still there afterwards.
func pause(r *http.Request, milliseconds int) bool {
	select {
	case <-time.After(time.Duration(milliseconds) * time.Millisecond):
		return true
	case <-r.Context().Done():
		return false
	}
}

// upload answers how many bytes came and their sha256: proof that a body arrived whole.
func upload(w http.ResponseWriter, r *http.Request) {
	hash := sha256.New()
	size, err := io.Copy(hash, r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	answer(w, map[string]any{"bytes": size, "sha256": hex.EncodeToString(hash.Sum(nil))})
}

// echoWebSocket sends each message back. Any page may connect: there is nothing here to protect.
func echoWebSocket(w http.ResponseWriter, r *http.Request) {
	connection, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	defer connection.CloseNow()
	for {
		kind, message, err := connection.Read(r.Context())
		if err != nil {
			return
		}
		if err := connection.Write(r.Context(), kind, message); err != nil {
			return
		}
	}
}
