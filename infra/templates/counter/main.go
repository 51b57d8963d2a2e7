// Counter is the bundled example actor: an HTTP server that counts its calls in memory and in a file of its root file
// system, so that a caller can see both survive. The other routes show, or try, what else an actor can do.
//
// Environment: COUNTER_PORT (8080), COUNTER_DIR (/var/lib/counter), COUNTER_BACKEND (address of a second counter that
// every counted call is passed on to), COUNTER_FAIL (exit: ends at once; hang: never listens).
package main

import (
	"cmp"
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	stopping, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	switch os.Getenv("COUNTER_FAIL") {
	case "exit":
		log.Print("counter: told to fail by COUNTER_FAIL=exit")
		os.Exit(3)
	case "hang":
		log.Print("counter: told to hang by COUNTER_FAIL=hang")
		<-stopping.Done()
		return
	}
	if err := serve(stopping); err != nil {
		log.Fatalf("counter: %v", err)
	}
}

func serve(stopping context.Context) error {
	folder := cmp.Or(os.Getenv("COUNTER_DIR"), "/var/lib/counter")
	counter, err := newCounter(folder, os.Getenv("COUNTER_BACKEND"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ":"+cmp.Or(os.Getenv("COUNTER_PORT"), "8080"))
	if err != nil {
		return err
	}
	log.Printf("counter: listening on %s", listener.Addr())
	server := &http.Server{Handler: routes(counter, &lowerFiles{folder: folder}), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-stopping.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func routes(counter *counter, files *lowerFiles) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]any{"ok": true}) })
	mux.HandleFunc("GET "+warmUpPath, counter.warmUp)
	mux.HandleFunc("GET /identity", identity)
	mux.HandleFunc("GET /random", random)
	mux.HandleFunc("GET /time", now)
	mux.HandleFunc("GET /slow", slow)
	mux.HandleFunc("GET /stream", stream)
	mux.HandleFunc("GET /ws", echoWebSocket)
	mux.HandleFunc("POST /upload", upload)
	mux.HandleFunc("GET /dial", dial)
	mux.HandleFunc("GET /allocate", allocate)
	mux.HandleFunc("GET /exit", exit)
	mux.HandleFunc("GET /files", files.change)
	mux.HandleFunc("GET /files/check", files.check)
	mux.Handle("/", counter)
	return mux
}
