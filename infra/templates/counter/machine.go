package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"log"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// identity answers what the platform says this actor is. Read anew at each call: it changes when the actor wakes.
func identity(w http.ResponseWriter, _ *http.Request) {
	text, err := os.ReadFile("/run/dormouse/actor.json")
	if err != nil {
		refuse(w, http.StatusNotFound, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

// random answers 32 bytes of the kernel, by the device and by the system call that Go uses.
func random(w http.ResponseWriter, _ *http.Request) {
	device, err := os.Open("/dev/urandom")
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	defer device.Close()
	var urandom, system [32]byte
	if _, err := io.ReadFull(device, urandom[:]); err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	_, _ = rand.Read(system[:]) // never fails
	answer(w, map[string]any{"random": hex.EncodeToString(urandom[:]), "getrandom": hex.EncodeToString(system[:])})
}

func now(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"unixMs": time.Now().UnixMilli()})
}

func exit(w http.ResponseWriter, r *http.Request) {
	code := number(r, "code", 1)
	log.Printf("counter: told to exit with %d", code)
	w.WriteHeader(http.StatusAccepted)
	_ = http.NewResponseController(w).Flush()
	os.Exit(code)
}

// dial tries to reach an address and answers what came of it: the way to see a template's egress rules from inside.
func dial(w http.ResponseWriter, r *http.Request) {
	connection, err := net.DialTimeout("tcp", r.URL.Query().Get("address"), 2*time.Second)
	if err != nil {
		answer(w, map[string]any{"connected": false, "error": err.Error()})
		return
	}
	_ = connection.Close()
	answer(w, map[string]any{"connected": true})
}

const mebibyte = 1 << 20

var held struct {
	sync.Mutex
	memory []byte
}

// allocate holds that much memory, filled with bytes that do not compress; 0 lets it go.
func allocate(w http.ResponseWriter, r *http.Request) {
	mebibytes := number(r, "mib", 1)
	if mebibytes < 0 {
		refuse(w, http.StatusBadRequest, errors.New("mib is negative"))
		return
	}
	held.Lock()
	defer held.Unlock()
	held.memory = nil
	memory := make([]byte, mebibytes*mebibyte)
	source := mathrand.NewChaCha8([32]byte(randomSeed()))
	_, _ = source.Read(memory) // never fails
	held.memory = memory
	answer(w, map[string]any{"mib": mebibytes})
}

func randomSeed() []byte {
	seed := make([]byte, 32)
	_, _ = rand.Read(seed) // never fails
	return seed
}

// number reads a query parameter; what is not a number counts as absent.
func number(r *http.Request, name string, absent int) int {
	if value, err := strconv.Atoi(r.URL.Query().Get(name)); err == nil {
		return value
	}
	return absent
}
