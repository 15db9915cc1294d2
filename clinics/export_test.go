package clinics

// DrawShareCodes replaces the source of share codes.
func (l *Lifecycle) DrawShareCodes(draw func() string) { l.drawShareCode = draw }

// RandomShareCode is the source of share codes.
var RandomShareCode = randomShareCode
