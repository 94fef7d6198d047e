// A MongoDB-wire server for tests: FerretDB 1.24 over SQLite, behind a relay that lets one updating command through
// at a time. FerretDB 1.x reads and writes in an update without a transaction, so of two compare-and-sets on one
// document both can succeed; every MongoDB promises that an update of one document is atomic.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	address, url := os.Args[1], os.Args[2]
	socket := filepath.Join(strings.TrimPrefix(url, "file:"), "ferretdb.sock")
	os.Remove(socket) // left by one that was killed
	// Safe from a kill, not from the end of a machine: what is tested here is not the disk.
	config := &ferretdb.Config{Handler: "sqlite", SQLiteURL: url + "?_pragma=synchronous(normal)"}
	config.Listener.Unix = socket
	server, err := ferretdb.New(config)
	if err != nil {
		panic(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go accept(address, socket)
	if err := server.Run(ctx); err != nil {
		panic(err)
	}
}

func accept(address, socket string) {
	for probe := net.Conn(nil); probe == nil; time.Sleep(5 * time.Millisecond) {
		probe, _ = net.Dial("unix", socket) // an open port says that it serves
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		panic(err)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go relay(client, socket)
	}
}

var updating sync.Mutex

func relay(client net.Conn, socket string) {
	defer client.Close()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer server.Close()
	for {
		request, err := read(client)
		if err != nil {
			return
		}
		reply, err := exchange(server, request)
		if err != nil {
			return
		}
		if _, err := client.Write(reply); err != nil {
			return
		}
	}
}

func exchange(server net.Conn, request []byte) ([]byte, error) {
	if updates(request) {
		updating.Lock()
		defer updating.Unlock()
	}
	if _, err := server.Write(request); err != nil {
		return nil, err
	}
	return read(server)
}

// read takes one message: its length stands in its first four bytes, and counts them.
func read(conn net.Conn) ([]byte, error) {
	message := make([]byte, 4)
	if _, err := io.ReadFull(conn, message); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(message)
	if length < 16 || length > 64<<20 {
		return nil, io.ErrUnexpectedEOF
	}
	message = append(message, make([]byte, length-4)...)
	_, err := io.ReadFull(conn, message[4:])
	return message, err
}

// updates is true for OP_MSG (2013) with a command that reads what it then writes. The command is the name of the
// first element of the first document: after a header of 16 bytes, flags of 4, the section's kind, the document's
// length of 4 and the element's type.
func updates(message []byte) bool {
	const name = 16 + 4 + 1 + 4 + 1
	if len(message) < name || binary.LittleEndian.Uint32(message[12:]) != 2013 {
		return false
	}
	command, _, _ := bytes.Cut(message[name:], []byte{0})
	switch strings.ToLower(string(command)) {
	case "update", "findandmodify", "delete":
		return true
	}
	return false
}
