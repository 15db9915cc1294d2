package faults_test

import (
	"slices"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// operation is an operation of the service that writes more than one document, in a situation in which it has all of them
// to write.
type operation struct {
	name  string
	stage func(s *scene)
	call  func(s *scene) testkit.Response
	// transactions is the number of transactions to which its writes belong, where the database has them. Zero means that it
	// needs none.
	transactions int
	// instead says what holds where the operation is not one transaction.
	instead string
	// apart tells the writes that belong to none of the transactions on purpose. Nil means none.
	apart func(wire.Command) bool

	// A repeat after an error is answered like a call that nothing disturbs, and leaves the same behind. Where the contract
	// says otherwise, the fields below say so, each with the reason.

	// repeat is another status with which a repeat may be answered, if the first call had done its work.
	repeat *exception
	// twice allows the state that two undisturbed calls leave, if only an answer was lost.
	twice *exception
	// twiceIfKilled allows the same if the service died after the last write, and cannot help itself.
	twiceIfKilled *exception
	// undone allows the state before the call, with more in some collections.
	undone *exception
	// orphans are collections in which a crash may leave documents that belong to no clinic.
	orphans *exception
	// more are collections in which a repeat leaves more than one call does.
	more *exception
	// uncounted are collections in which a recount finds something to tidy up.
	uncounted *exception
	// accounts allows accounts that belong to nobody.
	accounts *exception
}

// String returns the name of the operation.
func (o operation) String() string { return o.name }

// exception is something the contract cannot promise.
type exception struct {
	why         string
	status      int
	collections []string
}

func operations() []operation {
	// The one that takes longest comes first.
	return slices.Concat(mergeOperations(), clinicOperations(), memberOperations(), migrationOperations(), groupOperations(),
		patientOperations(), patientDataOperations(), removalOperations(), redoxOperations(), xealthOperations())
}

// ignored returns the collections of the exception, and the accounts, which no call can take back.
func (e *exception) ignored() []string { return append([]string{accountsName}, e.collections...) }
