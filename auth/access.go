package auth

import (
	"fmt"
	"slices"
	"strings"
)

// Access says who may call an operation. It is compiled from the x-access list of the operation in the interface document;
// one matching entry is enough. Without entries, nobody may.
type Access []rule

// The entries of an x-access list. An entry may be followed by a condition on a path parameter, as in
// "service permission=custodian".
const (
	ruleService    = "service"     // a backend service
	ruleUser       = "user"        // any user
	ruleAdmin      = "admin"       // an admin of the clinic in the path
	ruleMember     = "member"      // a member or admin of that clinic
	ruleSelf       = "self"        // the user in the path
	ruleSelfMember = "self-member" // the clinician in the path, if a member or admin of the clinic in the path

	// RuleRedox, RuleXealth and RuleReport mark operations that need no session token but a credential of their own.
	RuleRedox  = "redox"
	RuleXealth = "xealth"
	RuleReport = "report"
)

type rule struct {
	who       string
	parameter string // "" means no condition
	value     string
}

// Membership is what the caller is in the clinic that the path names.
type Membership struct {
	Member bool
	Admin  bool
}

// ParseAccess compiles the x-access list of an operation. It returns an error for an empty list or an unknown entry, so
// that no operation can be left without a decision.
func ParseAccess(entries []string) (Access, error) {
	if len(entries) == 0 {
		return nil, fmt.Errorf("nobody decided who may call")
	}
	known := []string{ruleService, ruleUser, ruleAdmin, ruleMember, ruleSelf, ruleSelfMember, RuleRedox, RuleXealth, RuleReport}
	access := make(Access, 0, len(entries))
	for _, entry := range entries {
		who, condition, _ := strings.Cut(entry, " ")
		if !slices.Contains(known, who) {
			return nil, fmt.Errorf("unknown access %q", entry)
		}
		r := rule{who: who}
		if condition != "" {
			var ok bool
			if r.parameter, r.value, ok = strings.Cut(condition, "="); !ok {
				return nil, fmt.Errorf("unknown condition %q", entry)
			}
		}
		access = append(access, r)
	}
	return access, nil
}

func (a Access) has(who string) bool {
	return slices.ContainsFunc(a, func(r rule) bool { return r.who == who })
}

// IsOpen reports whether the operation needs no session token.
func (a Access) IsOpen() bool {
	return a.has(RuleRedox) || a.has(RuleXealth) || a.has(RuleReport)
}

// Allows reports whether the caller may call the operation with these path parameters.
func (a Access) Allows(caller Caller, membership Membership, path map[string]string) bool {
	for _, value := range path {
		// COMPAT: an encoded slash inside a parameter is never allowed.
		if strings.Contains(value, "/") {
			return false
		}
	}
	return caller.UserID != "" && slices.ContainsFunc(a, func(r rule) bool {
		return (r.parameter == "" || path[r.parameter] == r.value) && r.allows(caller, membership, path)
	})
}

func (r rule) allows(caller Caller, membership Membership, path map[string]string) bool {
	switch r.who {
	case ruleService:
		return caller.Server
	case ruleUser:
		return !caller.Server
	case ruleAdmin:
		return membership.Admin
	case ruleMember:
		return membership.Member || membership.Admin
	case ruleSelf:
		return !caller.Server && (caller.UserID == path["patientId"] || caller.UserID == path["userId"])
	case ruleSelfMember:
		return !caller.Server && caller.UserID == path["clinicianId"] && (membership.Member || membership.Admin)
	default:
		return false
	}
}

// Includes reports whether whoever may call an operation with the other list may call one with this list as well. It goes by the
// lists alone: an admin is a user, and nothing else follows from another entry.
func (a Access) Includes(other Access) bool {
	for _, r := range other {
		if !slices.Contains(a, r) && (r.who == ruleService || !slices.Contains(a, rule{who: ruleUser})) {
			return false
		}
	}
	return true
}
