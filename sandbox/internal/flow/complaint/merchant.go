package complaint

import (
	"net/http"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/file"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

var complaintNotExist = &say.Rejection{
	Status: http.StatusNotFound, Code: "RESOURCE_NOT_EXISTS", Number: say.NumberUndocumented,
	Message: say.Both("投诉单不存在", "the complaint does not exist"), Reason: "nobody complained under this complaint_id",
}

func (f *Flow) listComplaints(c *gate.Call) (any, *say.Rejection) {
	offset, limit, rejected := c.AskedPage(10, 50)
	if rejected != nil {
		return nil, rejected
	}
	var days [2]time.Time
	for i, name := range []string{"begin_date", "end_date"} {
		var err error
		if days[i], err = time.ParseInLocation(time.DateOnly, c.Query.Get(name), say.Beijing); err != nil {
			return nil, say.FieldError("query", name, c.Query.Get(name),
				say.Unfitting("不是yyyy-MM-DD格式的日期", "it is not a date in the form of yyyy-MM-DD"))
		}
	}
	if span := days[1].Sub(days[0]); span < 0 || span > complaintSpan {
		return nil, say.FieldError("query", "end_date", c.Query.Get("end_date"),
			say.Unfitting("查询日期跨度不超过30天", "the dates must be in order and at most 30 days apart"))
	}
	defer c.Begin().Commit()
	var list []map[string]any
	for _, k := range f.everyComplaint() {
		merchant := c.Query.Get("complainted_mchid")
		if !k.Time.Before(days[0]) && k.Time.Before(days[1].AddDate(0, 0, 1)) && (merchant == "" || merchant == f.about(k)) {
			list = append(list, f.tell(c, k))
		}
	}
	return pageWithTotal(c, list, offset, limit), nil
}

// pageWithTotal returns a page of a list. Only the first page has total_count.
func pageWithTotal(c *gate.Call, list []map[string]any, offset, limit int) map[string]any {
	response := c.Paged(list, offset, limit)
	if offset > 0 {
		delete(response, "total_count")
	}
	return response
}

func (f *Flow) queryComplaint(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	k, known := f.table.Get(c.Path["complaint_id"])
	if !known {
		return nil, complaintNotExist
	}
	return c.Tell(f.tell(c, k)), nil
}

func (f *Flow) listNegotiations(c *gate.Call) (any, *say.Rejection) {
	offset, limit, rejected := c.AskedPage(100, 300)
	if rejected != nil {
		return nil, rejected
	}
	defer c.Begin().Commit()
	k, known := f.table.Get(c.Path["complaint_id"])
	if !known {
		return nil, complaintNotExist
	}
	var list []map[string]any
	for _, step := range slices.Backward(k.Log) {
		told := map[string]any{"log_id": step.ID, "operator": step.Operator, "operate_time": say.Time(step.Time), "operate_type": step.Type}
		if step.Details != "" {
			told["operate_details"] = step.Details
		}
		if step.Message != nil {
			told["normal_message"] = step.Message
		}
		if len(step.Images) > 0 {
			images := make([]any, len(step.Images))
			for i, id := range step.Images {
				images[i] = file.ImageURL(c, id)
			}
			told["image_list"] = images
		}
		list = append(list, told)
	}
	return pageWithTotal(c, list, offset, limit), nil
}

// changeComplaint lets act change the complaint that the request names. The platform does not
// notify the merchant of its own acts: it said so in 2021. Before, it did notify.
func (f *Flow) changeComplaint(c *gate.Call, act func(*complaint) *say.Rejection) (any, *say.Rejection) {
	defer c.Begin().Commit()
	k, known := f.table.Get(c.Path["complaint_id"])
	if !known {
		return nil, complaintNotExist
	}
	if merchant, sent := c.Object["complainted_mchid"]; sent && merchant != f.about(k) {
		return nil, say.Forbidden("NO_AUTH",
			say.Both("您暂无权限为该投诉单提交商户回复", "the complaint is about another merchant"),
			"complainted_mchid is not "+f.about(k),
		)
	}
	if rejected := act(&k); rejected != nil {
		return nil, rejected
	}
	f.table.Put(k.ID, k)
	return nil, nil
}

func (f *Flow) replyToComplaint(c *gate.Call) (any, *say.Rejection) {
	return f.changeComplaint(c, func(k *complaint) *say.Rejection {
		step := f.reply(k, c.Field("response_content"), c.Now)
		if list, ok := c.Object["response_images"].([]any); ok {
			for _, id := range list {
				step.Images = append(step.Images, id.(string))
			}
		}
		return nil
	})
}

// reply adds a reply of the merchant to the user.
func (f *Flow) reply(k *complaint, content string, now time.Time) *negotiation {
	if k.State == complaintPending {
		k.State = complaintProcessing
	}
	k.Answered = true
	return f.log(k, "商户", "MERCHANT_RESPONSE", content, now)
}

// replyAtOnce replies in blocks of text, images and buttons. A repeated idempotent_id gets the
// log_id of the first reply.
func (f *Flow) replyAtOnce(c *gate.Call) (any, *say.Rejection) {
	var id string
	_, rejected := f.changeComplaint(c, func(k *complaint) *say.Rejection {
		key := c.Field("idempotent_id")
		if i := slices.IndexFunc(k.Log, func(step negotiation) bool { return step.Key == key }); i >= 0 {
			id = k.Log[i].ID
			return nil
		}
		step := f.reply(k, "", c.Now)
		step.Message, step.Key = c.Object["message"].(map[string]any), key
		id = step.ID
		return nil
	})
	if rejected != nil {
		return nil, rejected
	}
	return c.Tell(map[string]any{"log_id": id}), nil
}

// completeComplaint ends a complaint for the merchant. A repetition gets the same response. That of
// the platform is not documented.
func (f *Flow) completeComplaint(c *gate.Call) (any, *say.Rejection) {
	return f.changeComplaint(c, func(k *complaint) *say.Rejection {
		if k.State != complaintProcessed {
			k.State, k.Answered = complaintProcessed, true
			f.log(k, "商户", "MERCHANT_CONFIRM_COMPLETE", "", c.Now)
		}
		return nil
	})
}

// updateRefundProgress tells the user whether the merchant will refund. It makes no refund.
func (f *Flow) updateRefundProgress(c *gate.Call) (any, *say.Rejection) {
	return f.changeComplaint(c, func(k *complaint) *say.Rejection {
		o, _ := f.orders.Get(k.OutTradeNo)
		details, _ := c.Object["remark"].(string)
		switch action := c.Object["action"]; {
		case k.Type != "REFUND" || k.Progress != "" || o.Refunded == k.Amount:
			return say.InvalidRequest(
				say.Both("当前单据状态不支持操作, 请检查是否重复调用", "the complaint's state does not permit it; it may have been done before"),
				"the user asks for no refund, or has got it, or the merchant has answered this before",
			)
		case action == "APPROVE":
			f.log(k, "商户", "MERCHANT_APPROVE_REFUND", details, c.Now)
		case action == "REJECT":
			reason, ok := c.Object["reject_reason"].(string)
			if !ok {
				return say.FieldError("body", "/reject_reason", "", say.IssueRequired)
			}
			f.log(k, "商户", "MERCHANT_REFUSE_RERUND", reason, c.Now) // spelt so
		default:
			return say.FieldError("body", "/action", action, say.IssueConstant)
		}
		k.Progress = c.Object["action"].(string)
		return nil
	})
}

var complaintURLNotExist = &say.Rejection{
	Status: http.StatusNotFound, Code: "RESOURCE_NOT_EXISTS", Number: say.NumberUndocumented,
	Message: say.Both("投诉通知地址不存在", "there is no address for complaints"), Reason: "no address was set, or it was deleted",
}

func (f *Flow) queryComplaintURL(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	url, known := f.url.Get("")
	if !known {
		return nil, complaintURLNotExist
	}
	return c.Tell(map[string]any{"mchid": f.ID, "url": url}), nil
}

// setComplaintURL sets the address of notifications about complaints, for the first time or again.
func (f *Flow) setComplaintURL(c *gate.Call, again bool) (any, *say.Rejection) {
	if rejected := gate.CheckURL("/url", c.Object["url"]); rejected != nil {
		return nil, rejected
	}
	defer c.Begin().Commit()
	switch old, known := f.url.Get(""); {
	case again && !known:
		return nil, complaintURLNotExist
	case !again && known && old != c.Object["url"]:
		return nil, say.InvalidRequest(
			say.Both("投诉通知地址已存在", "there is an address for complaints already"),
			"an address is set; PUT changes it",
		)
	}
	f.url.Put("", c.Object["url"].(string))
	return c.Tell(map[string]any{"mchid": f.ID, "url": c.Object["url"]}), nil
}

func (f *Flow) deleteComplaintURL(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	if _, known := f.url.Get(""); !known {
		return nil, complaintURLNotExist
	}
	f.url.Delete("")
	return nil, nil
}
