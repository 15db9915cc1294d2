package clinics

// DrawShareCodes replaces the source of share codes.
func (s *Service) DrawShareCodes(draw func() string) { s.drawShareCode = draw }

// RandomShareCode is the source of share codes.
var RandomShareCode = randomShareCode
