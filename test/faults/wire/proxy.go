package wire

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Proxy is the database for the service, and a client for the database.
type Proxy struct {
	target   string
	listener net.Listener

	mu       sync.Mutex
	open     map[net.Conn]bool
	fault    *Fault // nil means that all is well
	count    int    // of writes since the fault was armed
	tripped  bool   // whether the fault has happened
	down     bool
	silent   bool
	cut      bool
	commands []Command
	begun    map[string]Command // of the transactions that the database has under way, the first command
	conflict bool               // whether the database itself answered the fault with a conflict
}

// Start begins to listen for connections to the database at the target, a host and port.
func Start(target string) (*Proxy, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: target, listener: listener, open: map[net.Conn]bool{}, begun: map[string]Command{}}
	go p.accept()
	return p, nil
}

// Address returns where the proxy listens, as host and port.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Close ends the proxy and all connections.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for connection := range p.open {
		_ = connection.Close()
	}
}

// Arm sets the next fault, begins to count writes, and forgets the commands so far.
func (p *Proxy) Arm(fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.count, p.tripped, p.down, p.conflict, p.commands = &fault, 0, false, false, false, nil
}

// Heal ends the fault, and reports whether it had happened.
func (p *Proxy) Heal() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.down = nil, false
	return p.tripped
}

// Silence begins to swallow everything that the service sends, on old connections and new ones, as a network does that lost its
// way. What was swallowed is never answered.
func (p *Proxy) Silence() { p.setSilent(true) }

// Speak ends Silence.
func (p *Proxy) Speak() { p.setSilent(false) }

func (p *Proxy) setSilent(silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = silent
}

func (p *Proxy) isSilent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.silent
}

// Forget forgets the commands so far.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands = nil
}

// Commands returns the commands since the last Arm or Forget, without those by which the driver looks after its
// connections.
func (p *Proxy) Commands() []Command {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Command(nil), p.commands...)
}

// Writes returns those of Commands that change documents.
func (p *Proxy) Writes() []Command {
	var found []Command
	for _, command := range p.Commands() {
		if command.IsWrite() {
			found = append(found, command)
		}
	}
	return found
}

func (p *Proxy) accept() {
	for {
		connection, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(connection)
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer p.drop(client)
	server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil {
		return
	}
	defer p.drop(server)
	p.keep(client, server)
	if p.isCut() {
		return
	}
	for {
		asked, err := readMessage(client)
		if err != nil {
			return
		}
		if p.isSilent() {
			continue
		}
		said, err := p.handle(server, asked)
		if err != nil {
			return
		}
		if p.isSilent() {
			continue
		}
		if _, err := client.Write(said); err != nil {
			return
		}
	}
}

func (p *Proxy) keep(connections ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, connection := range connections {
		p.open[connection] = true
	}
}

func (p *Proxy) drop(connection net.Conn) {
	_ = connection.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, connection)
}

// errCut ends the connection to the service.
var errCut = errors.New("cut")

// handle returns the answer to a request.
func (p *Proxy) handle(server net.Conn, asked message) (message, error) {
	body, err := asked.document()
	if err != nil {
		return nil, err
	}
	command, err := newCommand(body)
	if err != nil {
		return nil, err
	}
	if isGreeting(command) {
		return ask(server, asked)
	}
	fault, down := p.note(command)
	switch {
	case down:
		return answer(asked, LastingError())
	case fault == nil:
		return p.forward(server, asked, command)
	default:
		return p.fail(server, asked, command, *fault)
	}
}

// note records the command and returns the fault that happens to it, nil if none does, and whether the database is down.
func (p *Proxy) note(command Command) (*Fault, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands = append(p.commands, command)
	if p.down || p.fault == nil || !p.fault.counts(command) {
		return nil, p.down
	}
	p.count++
	if delay := p.fault.Delay; delay > 0 {
		p.mu.Unlock()
		time.Sleep(delay)
		p.mu.Lock()
	}
	if p.fault == nil || p.tripped || p.count != p.fault.Write {
		return nil, false
	}
	p.tripped, p.down = true, p.fault.Kind == Down
	return p.fault, false
}

func (p *Proxy) fail(server net.Conn, asked message, command Command, fault Fault) (message, error) {
	var err error
	switch fault.Kind {
	case Refused:
		return p.refuse(server, asked, command, fault.Answer)
	case Contended:
		return p.contend(server, asked, command, fault.Answer)
	case Denied:
		if _, err := p.forward(server, asked, command); err != nil {
			return nil, err
		}
		return answer(asked, fault.Answer)
	case Unanswered:
		_, err = p.forward(server, asked, command)
	case Halved:
		err = p.halve(server, asked, command)
	case Lost, Down:
	}
	if fault.Reached != nil {
		fault.Reached()
	}
	return nil, errors.Join(errCut, err)
}

func (p *Proxy) halve(server net.Conn, asked message, command Command) error {
	all := command.Statements()
	if len(all) < 2 {
		return nil
	}
	half, err := without(command.Body, statements[command.Name])
	if err != nil {
		return err
	}
	half = append(half, bson.E{Key: statements[command.Name], Value: all[:len(all)/2]})
	body, err := bson.Marshal(half)
	if err != nil {
		return err
	}
	command.Body = body
	reduced, err := request(asked.id(), command.Body)
	if err != nil {
		return err
	}
	_, err = p.forward(server, reduced, command)
	return err
}

// forward lets the database answer.
func (p *Proxy) forward(server net.Conn, asked message, command Command) (message, error) {
	p.followTransaction(command)
	return ask(server, asked)
}

// answerTime is how long a database may take for an answer. The proxy waits for it also if the service has gone: engines for
// development do not all survive a client that leaves in the middle of an operation.
const answerTime = 30 * time.Second

func ask(server net.Conn, asked message) (message, error) {
	if err := server.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return nil, err
	}
	if _, err := server.Write(asked); err != nil {
		return nil, err
	}
	return readMessage(server)
}
