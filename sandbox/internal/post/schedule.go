package post

import (
	"slices"
	"strings"
	"time"
)

// deliveryLimit is how long the platform waits for the response to a notification.
const deliveryLimit = 5 * time.Second

// schedule is how an event is delivered.
type schedule struct {
	limit time.Duration   // for the response
	waits []time.Duration // after the first attempt, and after each one that fails
}

// usualSchedule is that of all events without an exception: 15 repeats within 24 h 4 min.
var usualSchedule = schedule{deliveryLimit, []time.Duration{
	15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute, 10 * time.Minute, 20 * time.Minute,
	30 * time.Minute, 30 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 3 * time.Hour, 3 * time.Hour, 6 * time.Hour, 6 * time.Hour,
}}

// everyMinute is the short schedule of member cards and their like.
var everyMinute = schedule{deliveryLimit, times(11, time.Minute)}

// exceptions are the documented other schedules, by event type or, with a dot at the end, by its
// beginning. The questions among them are asked once: the user is waiting for the response.
var exceptions = []struct {
	event string
	schedule
}{
	{"MCHTRANSFER.", schedule{deliveryLimit, slices.Concat(times(10, 15*time.Second), times(10, 5*time.Minute), times(44, 30*time.Minute))}},
	{"MCHWITHDRAW.CHANGE", schedule{deliveryLimit, slices.Concat(times(10, 15*time.Second), times(10, 5*time.Minute), times(47, 30*time.Minute))}},
	{"COUPON.SEND", everyMinute},
	{"COUPON.USE", schedule{deliveryLimit, times(9, time.Minute)}},
	{"PAYSCORE.USER_SIGN_PLAN", everyMinute},
	{"PAYSCORE.USER_CANCEL_SIGN_PLAN", everyMinute},
	{"PRODUCT_COUPON_SP.", everyMinute},
	{"BRAND_MEMBER_CARD_SP.USER_CARD.", everyMinute},
	{"BRAND_MEMBER_CARD.USER_CARD.", everyMinute}, // like its twin for providers; no page was seen that tells
	{"PRODUCT_COUPON.", everyMinute},              // the same
	{"PAPAY.TERMINATE", schedule{deliveryLimit, slices.Concat(
		[]time.Duration{15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute}, times(4, 30*time.Minute), times(1, time.Hour))}},
	{"CROSS_BORDER_PAY.", schedule{limit: 3 * time.Second}},
	{"PARKING_FEE.QUERY_TRANS_INFO", schedule{limit: 3 * time.Second}},
	{"ENTRUST.TERMINATE_RETENTION", schedule{limit: time.Second}},
	{"ENTRUST.TERMINATE_INQUIRY", schedule{limit: 3 * time.Second}},
}

func times(n int, d time.Duration) []time.Duration { return slices.Repeat([]time.Duration{d}, n) }

func scheduleOf(event string) schedule {
	for _, e := range exceptions {
		if event == e.event || (strings.HasSuffix(e.event, ".") && strings.HasPrefix(event, e.event)) {
			return e.schedule
		}
	}
	return usualSchedule
}
