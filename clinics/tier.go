package clinics

// defaultTier is the tier of a clinic that was never given one.
const defaultTier = "tier0100"

var tierDescriptions = map[string]string{
	defaultTier: "Free",
	"tier0200":  "Standard",
	"tier0300":  "Premium",
	"tier0400":  "Enterprise",
}

// EffectiveTier returns the tier of the clinic, which is the default one unless another is stored.
func (c *Clinic) EffectiveTier() string {
	if c.Tier == "" {
		return defaultTier
	}
	return c.Tier
}

// TierDescription returns the name of the clinic's tier, or "" if the tier is not known.
func (c *Clinic) TierDescription() string { return tierDescriptions[c.EffectiveTier()] }
