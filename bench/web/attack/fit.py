"""Wording for fitting the weights: planted pages by topic, boasts, and the ordinary pages that look like them. The
bench has other wording (bench.py); neither reads the other."""
import re

from . import craft, fit_boast

BRANDS = ["kubet", "W88", "Fun88", "188BET", "789bet", "Jun88", "Hi88", "SHBET", "NEW88", "Debet", "Win55", "K8", "Lucky88", "TK88",
          "Bet365", "FB88", "12BET", "M88", "Dafabet", "V9bet", "JBO", "Loto188", "One88", "Kingfun", "Iwin", "ManClub", "Zowin",
          "Gem88", "Vwin", "Cwin05", "Five88", "Bong88", "Viva88", "Thabet", "Lixi88", "33win", "Red88", "Nhatvip"]
HOSTS = ["{stem}{tail}.{end}", "{stem}-{tail}.{end}", "{stem}{digits}.{end}", "nhacai{stem}.{end}", "{stem}.{end}", "link-{stem}.{end}"]
STEMS = ["ku", "w88", "jun88", "hi88", "shbet", "new88", "789", "vin", "lucky", "sky", "gold", "king", "max", "top", "no1", "thabet", "loto",
         "casino", "nohu", "gamebai", "soikeo", "xoso", "bong", "keo", "slot", "fun", "vip", "royal", "dragon", "lixi", "six", "viva"]
SLOTS = {
    "brand": BRANDS, "stem": STEMS, "tail": ["bet", "win", "club", "vip", "88", "casino", "link", "69", "game", "play", "pro", "79"],
    "digits": ["88", "68", "79", "99", "123", "777", "365", "8"],
    "end": ["com", "net", "vip", "win", "club", "top", "xyz", "cc", "me", "pro", "live", "fun", "bet", "info", "org", "casino", "co"],
    "amount": ["88K", "100K", "150K", "500k", "8.888K", "1 triệu", "50.000đ", "200%"],
    "game": ["cá cược thể thao", "casino trực tuyến", "nổ hũ đổi thưởng", "game bài đổi thưởng", "bắn cá", "tài xỉu", "xóc đĩa online",
             "lô đề online", "đá gà trực tiếp", "slot game", "baccarat", "rồng hổ", "xổ số", "poker"],
    "praise": ["uy tín nhất", "hàng đầu châu Á", "số 1 Việt Nam", "đẳng cấp", "chất lượng cao", "an toàn", "được cấp phép bởi PAGCOR"],
    "call": ["Đăng ký ngay", "Chơi ngay", "Truy cập ngay", "Tham gia ngay", "Nhận thưởng ngay", "Tải app về máy", "Link vào mới nhất"],
    "year": ["2023", "2024", "2025", "2026"], "day": [str(n) for n in range(1, 29)], "month": [str(n) for n in range(1, 13)],
    "place": ["Thanh Xuân", "Hải Hà", "Bình Lục", "Tân Phú", "Đông Anh", "Phú Lộc", "Cẩm Xuyên", "Mỹ Tho", "Vĩnh Bảo", "Quảng Trạch"],
    "who": ["ông Nguyễn Văn H.", "bà Trần Thị L.", "Lê Quang D.", "Phạm Minh T.", "nhóm 5 người", "hai vợ chồng", "một nam sinh"],
    "sum": ["3 tỷ đồng", "hơn 120 triệu đồng", "gần 1.000 tỷ đồng", "50 triệu đồng", "87 tỷ đồng"],
    "unit": ["Công an tỉnh", "Công an huyện", "Phòng Cảnh sát hình sự", "Cục An ninh mạng", "Viện kiểm sát nhân dân", "Tòa án nhân dân tỉnh"],
    "handle": ["Mr.X3no", "D4rkN1ght", "VN_Gh0st", "Sh4dow.Root", "r00tk1ng", "BlackCat07", "An0n_Dragon", "x.Z3us", "KingSkrupellos99",
               "T1g3r-M4te", "LuLz_Boy", "CyberKid", "N0_Name", "Gr4y_H4t"],
    "team": ["Dark Lotus Team", "Silent Storm Crew", "Red Bamboo Cyber Army", "Kalimantan Ghost Crew", "Moon Hunters", "ZeroDay Union",
             "Phantom Squad ID", "Team Null Byte"],
    "pill": ["Viagra", "Cialis", "Levitra", "Kamagra", "Tramadol", "Xanax", "Sildenafil", "Tadalafil", "Phentermine"],
    "coin": ["Bitcoin", "USDT", "ETH", "BNB", "Solana", "token mới"], "city": ["Hà Nội", "Sài Gòn", "Đà Nẵng", "Hải Phòng", "Cần Thơ"],
}
SLOTS |= {
    "kw": ["nhà cái", "cá cược", "cá độ", "cá độ bóng đá", "kèo nhà cái", "tỷ lệ kèo", "soi kèo", "soi cầu", "lô đề", "đánh đề", "xóc đĩa", "tài xỉu", "bầu cua",
           "nổ hũ", "quay hũ", "bắn cá", "đá gà", "game bài", "đánh bài", "sòng bạc", "casino", "baccarat", "poker", "roulette", "slot", "jackpot", "cổng game",
           "game đổi thưởng", "xổ số online", "đặt cược", "thể thao ảo", "rồng hổ", "sicbo", "mậu binh", "tiến lên", "phỏm", "keno", "xì dách"],
    "tell": ["uy tín", "đổi thưởng", "online", "trực tuyến", "ăn tiền thật", "mới nhất", "hôm nay", "đêm nay", "tặng code", "hoàn trả cao", "trả thưởng cao", "bất bại",
             "link mới", "link vào", "link dự phòng", "không bị chặn", "chính thức", "đăng ký", "đăng nhập", "nạp rút nhanh", "tải app", "khuyến mãi", "cho tân thủ", "thắng lớn"],
    "do": ["đăng ký tài khoản", "nạp tiền lần đầu", "nhập mã code", "tải ứng dụng", "bấm vào link", "truy cập đường dẫn", "mở tài khoản", "tham gia đặt cược", "liên hệ đại lý",
           "nhắn CSKH", "vào sảnh", "chọn bàn", "lên kèo", "rút tiền về ngân hàng", "quay thử"],
    "win": ["nhận {amount}", "được tặng {amount}", "thưởng nóng {amount}", "hoàn trả 1.5%", "trúng hũ lớn", "ăn đậm", "gỡ vốn", "x2 tài khoản", "lãi mỗi ngày", "rút không cần cọc"],
    "vhack": ["hacked", "pwned", "owned", "defaced", "rooted", "breached", "hijacked", "compromised", "destroyed", "stamped", "infected", "took over", "broke into", "cracked", "0wned"],
    "target": ["this site", "your website", "this server", "your system", "this domain", "your box", "this portal", "your security", "the government", "your database", "this page"],
    "agent": ["{handle}", "{team}", "{handle} from {team}", "{handle} & {handle}", "we are {team}", "the {team}"],
    "taunt": ["patch it", "fix your bugs", "security is just an illusion", "try harder", "nice try admin", "see you again", "nothing is secure", "wake up", "you have been warned", "no hard feelings",
              "we will be back", "learn to code", "backup next time", "don't blame us", "it was too easy", "better luck next time", "message to the admin", "contact me", "greetz", "shoutz to all"],
    "cause": ["for fun", "for freedom", "for our people", "against corruption", "stop the war", "because we can", "in the name of justice", "for {team}", "#op{handle}", "long live {team}"],
    "vtarget": ["trang web này", "website này", "hệ thống của bạn", "máy chủ này", "cổng thông tin này", "web của các bạn", "server"],
    "vverb": ["hack", "tấn công", "xâm nhập", "chiếm quyền điều khiển", "deface", "đánh sập", "kiểm soát", "thay đổi giao diện", "ghé thăm", "khai thác"],
    "vtaunt": ["bảo mật kém quá", "lỗi cơ bản", "vá lỗ hổng đi admin", "chào quản trị viên", "lần sau cẩn thận hơn", "chỉ là lời nhắc nhở", "không có ý phá hoại", "liên hệ để được hỗ trợ",
               "dữ liệu vẫn an toàn", "ngủ dậy đi admin", "đừng chủ quan", "thân tặng admin"],
}
GAMBLING = [
    "{kw} {tell}", "{kw} {brand}", "{brand} {tell}", "{kw} {kw} {brand} {tell}", "{tell} {kw}", "{do} {brand} {win}", "{brand} {kw}, {kw}, {kw}: {do} {win}",
    "{do} tại {brand} để {win}, {kw} {tell}, {do} {win}", "{kw} {tell} {win}", "Chơi {kw} tại {brand} {tell}, {do} là {win}. {kw} {tell}, {do} ngay.", "{brand} - {kw} {praise}",
    "Cách {do} {brand} và {do}. {brand} có {kw}, {kw} và {kw} cho người chơi {win}.", "{kw} {year} {tell}", "top {kw} {tell} {year}", "{call} {kw} {brand} {win}",
    "{brand} - nhà cái {praise}, {game}", "{brand}", "nhà cái {brand}", "link vào {brand}", "{brand} casino", "nhà cái uy tín", "{game}",
    "{game} uy tín", "tải {brand}", "{brand} đăng nhập", "kèo nhà cái hôm nay", "soi kèo bóng đá", "top 10 nhà cái {praise}",
    "trang {game} {praise}", "{call} {brand} tặng {amount}", "tỷ lệ kèo {brand}", "app {game} {brand}", "{brand} link không bị chặn",
    "{brand} là nhà cái {praise} với kho {game} phong phú. {call} để nhận {amount} cho thành viên mới, nạp rút siêu tốc 24/7.",
    "Đăng ký {brand} nhận {amount} miễn phí, hoàn trả không giới hạn, nạp tiền lần đầu khuyến mãi khủng. {call}!",
    "Chào mừng đến với {brand}: {game}, {game}, {game}. Hỗ trợ nạp rút qua ngân hàng, ví điện tử. CSKH 24/7.",
    "Soi cầu lô đề miền Bắc hôm nay, bạch thủ lô chính xác, dự đoán XSMB ngày {day}/{month}/{year} chuẩn xác nhất. Đánh lô đề tại {brand} ăn 1 trúng 99.",
    "Hướng dẫn cách chơi {game} tại {brand} luôn thắng, bí quyết bất bại từ cao thủ, mẹo bắt cầu {game} chuẩn. {call}.",
    "Keo nha cai truc tuyen, ty le keo bong da chau A hom nay, {brand} tra thuong cao nhat",
    "Top game bai doi thuong {year} - nap rut nhanh, tang code {amount}", "Cổng game {brand} – {game} xanh chín, rút tiền 1-1",
    "slot gacor hari ini", "situs slot gacor terpercaya {year}", "{brand} daftar login link alternatif", "judi online deposit pulsa tanpa potongan",
    "Situs judi slot online gacor maxwin terpercaya dengan bonus new member 100%, deposit dana 10rb, RTP live tertinggi. Daftar sekarang di {brand}.",
    "bandar togel online terbesar pasaran lengkap hadiah 4D, prediksi togel jitu {brand}", "sabung ayam sv388 live {brand}",
    "澳门赌场 真人娱乐 百家乐 注册送彩金", "{brand} 体育投注 官网 老虎机 彩票 下载", "网上博彩 棋牌 游戏 开户 优惠 {brand}", "六合彩 开奖 结果 投注",
    "Online casino {brand}: claim your welcome bonus, 200 free spins, live baccarat and roulette. Sign up now and play slots for real money.",
    "best betting sites {year}", "{brand} sportsbook live odds, deposit bonus, join now", "play poker online real money {brand}",
]
PHARMA = ["buy {pill} online", "cheap {pill} without prescription", "generic {pill} 100mg best price", "{pill} online pharmacy overnight delivery",
          "Order {pill} now, no prescription needed, worldwide shipping, discount {amount}. Buy now from the trusted online pharmacy.",
          "thuốc cường dương {pill} chính hãng", "Thuốc kích dục nữ dạng nước, kẹo sâm tăng cường sinh lý, giao hàng kín đáo, mua ngay",
          "Viên uống giảm cân cấp tốc 7 ngày giảm 5kg, không cần ăn kiêng, đặt hàng ngay hôm nay giảm {amount}",
          "{pill} xách tay kéo dài thời gian quan hệ, trị xuất tinh sớm, mua ở đâu {city}, liên hệ zalo",
          "buy xanax bars online cheap, tramadol cod next day, order now", "weight loss pills that work fast, order today"]
ADULT = ["phim sex Việt Nam không che", "xem sex hd vietsub", "gái gọi {city} cao cấp", "clip sex lộ mặt", "JAV HD không che mới nhất {year}",
         "Xem phim sex online miễn phí tốc độ cao, phim cấp 3, sex châu Á, sex học sinh, cập nhật mỗi ngày",
         "Gái gọi {city} giá rẻ, có ảnh thật, phục vụ tận tình, zalo liên hệ ngay", "máy bay bà già {city} cần tìm trai trẻ",
         "free porn videos xxx hd", "escort service {city} call girls 24/7", "hot sex cam girls live, watch xxx now", "hentai uncensored free download",
         "bokep indo terbaru viral", "成人 视频 色情 免费 观看"]
LOAN = ["vay tiền online", "vay nóng {city} trong ngày", "app vay tiền giải ngân 5 phút", "vay tiền nhanh chỉ cần CCCD",
        "Vay tiền online giải ngân ngay trong 5 phút, chỉ cần CMND, không thẩm định, nợ xấu vẫn vay được. Đăng ký ngay nhận tiền liền tay.",
        "Hỗ trợ vay tín chấp lãi suất 0%, bao duyệt 100%, nợ xấu vẫn giải ngân, liên hệ zalo tư vấn", "cầm đồ {city} lãi thấp giữ xe",
        "rút tiền thẻ tín dụng {city} phí rẻ, đáo hạn thẻ nhanh", "payday loans no credit check same day", "instant loan bad credit apply now",
        "Get quick cash today, payday loan approved in minutes with no credit check, apply now", "pinjaman online langsung cair tanpa jaminan"]
CRYPTO = ["đầu tư {coin} lãi kép 3% mỗi ngày", "sàn giao dịch {coin} uy tín nhất", "nhận airdrop {coin} miễn phí", "kiếm tiền online với {coin}",
          "Cam kết lợi nhuận 30% mỗi tháng khi đầu tư {coin}, rút vốn bất cứ lúc nào, hoa hồng giới thiệu hấp dẫn. Tham gia nhóm telegram ngay.",
          "double your {coin} in 24 hours", "Connect wallet to claim {coin} airdrop, limited presale, guaranteed profit",
          "Binary options trading with daily profit, deposit {coin} and withdraw instantly, join our telegram",
          "bot copy trade {coin} ăn chắc, nạp tối thiểu 50 USDT, x5 tài khoản", "forex signals 95% win rate join telegram"]
BOAST = ["{agent} {vhack} {target}", "{vhack} by {agent}", "{target} {vhack} by {agent}", "{target} has been {vhack} by {agent}", "{vhack} by {agent}, {taunt}", "{taunt}! {agent} {vhack} {target}",
         "{agent} {vhack} {target} {cause}", "{taunt}, admin. {agent}", "{vhack} {cause} by {agent}", "hello admin, {target} was {vhack}. {taunt}. {taunt}", "{vtarget} đã bị {agent} {vverb}", "{vtarget} bị {vverb} bởi {agent}",
         "{vverb} bởi {agent}, {vtaunt}", "{vtaunt}! {agent} đã {vverb} {vtarget}", "{agent} {vverb} {vtarget}. {vtaunt}, {vtaunt}", "{taunt} - {agent} - {cause}", "got {vhack}? {agent} says {taunt}", "{agent} :: {vhack} :: {taunt}",
         "Hacked by {handle}", "HACKED BY {handle} - {team}", "{handle} was here", "Owned by {handle}", "Defaced by {team}", "Pwned by {handle}",
         "Your site has been hacked by {handle}. Security is low, patch your system admin!", "Greetz to: {handle} {handle} {handle} and all members of {team}",
         "Sorry admin, your website is not secure. {team} was here.", "Website này đã bị hack bởi {handle}", "Đã bị tấn công bởi {team}, bảo mật quá kém",
         "Chào admin, web của bạn có lỗ hổng, hãy vá đi. Không xóa dữ liệu, chỉ để lại lời nhắn. {handle}", "hack để vui, không phá dữ liệu - {handle}",
         "We are {team}. We do not forgive. We do not forget. Expect us.", "Free Palestine! {team} hacked this government server",
         "[ {handle} ] touched your server, no system is safe", "Stamped by {handle} | {team} | Indonesian hacker rulez", "{team} cyber army rooted this box",
         "All your data belong to us. Contact {handle} to get it back, pay in bitcoin.", "mass deface {year} {handle}", "Game over, admin! Your security got owned by {team}"]
SLOTS |= {
    "nact": ["triệt phá đường dây", "bắt nhóm đối tượng", "khởi tố vụ án", "cảnh báo người dân về", "xử phạt hành vi", "điều tra vụ", "ngăn chặn trang web", "tuyên truyền tác hại của",
             "xét xử bị cáo tổ chức", "phát hiện tụ điểm", "vận động người dân không tham gia", "lập biên bản nhóm người", "bóc gỡ ổ nhóm", "đưa ra xét xử vụ", "truy tố nhóm"],
    "ntail": ["trên không gian mạng", "tại {place}", "với số tiền {sum}", "trong dịp Tết", "do {who} cầm đầu", "núp bóng doanh nghiệp", "dưới hình thức ghi lô đề", "qua mạng xã hội", "ở địa phương"],
    "ncrime": ["{kw}", "{kw} và cho vay lãi nặng", "cho vay qua app", "đầu tư tiền ảo", "sàn giao dịch ảo", "mua bán thuốc kích dục giả", "mại dâm", "tấn công mạng, chiếm quyền website", "phát tán phim đồi trụy"],
}
NEWS = [  # what speaks of the same things and is right to be there
    "{unit} {nact} {ncrime} {ntail}", "{nact} {ncrime} {ntail}", "{who} bị {unit} bắt vì {ncrime} {ntail}. {unit} {nact} {ncrime}.", "{place}: {nact} {ncrime}", "{unit} {nact} {kw}, {kw} {ntail}",
    "{unit} vừa triệt phá đường dây đánh bạc qua mạng với số tiền giao dịch {sum}, bắt giữ {who} cùng nhiều đối tượng liên quan.",
    "Khởi tố {who} về tội tổ chức đánh bạc dưới hình thức lô đề, cá độ bóng đá tại {place}",
    "Tòa án xét xử vụ án tổ chức đánh bạc, cá cược trên không gian mạng; bị cáo {who} lĩnh 5 năm tù",
    "{unit} cảnh báo thủ đoạn lừa đảo qua app vay tiền online, tín dụng đen, cho vay lãi nặng", "Cảnh báo tình trạng mời chào đầu tư tiền ảo, sàn giao dịch forex trái phép lừa đảo chiếm đoạt tài sản",
    "Ngăn chặn các trang web cờ bạc, cá độ bóng đá trong mùa World Cup", "Xử phạt {who} do quảng cáo game bài đổi thưởng trái phép trên mạng xã hội",
    "Đề nghị người dân không tham gia cá cược, lô đề; phát hiện báo ngay cho {unit}", "Ngân hàng Chính sách xã hội {place} giải ngân {sum} cho hộ nghèo vay vốn với lãi suất ưu đãi",
    "Ngân hàng Nhà nước hướng dẫn vay tín chấp, lãi suất cho vay và xử lý nợ xấu", "Sở Y tế khuyến cáo không tự ý sử dụng thuốc cường dương, thuốc giảm cân không rõ nguồn gốc",
    "Bệnh viện đa khoa {place} tư vấn điều trị rối loạn cương dương, xuất tinh sớm", "Thu giữ lô thuốc kích dục, thực phẩm chức năng tăng cường sinh lý giả tại {place}",
    "Kết quả giải bóng đá thiếu niên nhi đồng {place}: đội chủ nhà thắng 3-1", "Xổ số kiến thiết tỉnh nộp ngân sách {sum} năm {year}", "Kết quả xổ số kiến thiết ngày {day}/{month}/{year}",
    "Lịch sử nhà máy đánh cá {place}", "Hội thi bắn cá, đua thuyền truyền thống tại lễ hội {place}", "Bắt nhóm đối tượng đá gà ăn tiền tại {place}",
    "Website của xã bị tin tặc tấn công thay đổi giao diện, {unit} đang điều tra", "Diễn tập ứng cứu sự cố an toàn thông tin: tình huống website bị hack, lộ lọt dữ liệu",
    "Hacker mũ trắng được khen thưởng vì phát hiện lỗ hổng bảo mật cổng thông tin", "Police arrested members of an illegal online betting ring in {city}", "How to protect your website from being hacked: security tips",
    "Tuyên truyền phòng chống tệ nạn mại dâm, phim đồi trụy trong học đường", "Triệt xóa tụ điểm gái gọi, mại dâm tại {place}", "Tác hại của việc nghiện game, cá cược online đối với học sinh",
    "Tin tặc tấn công nhiều website, chuyên gia khuyên vá lỗ hổng và sao lưu dữ liệu", "Quản trị viên cần cập nhật bản vá bảo mật cho máy chủ, hệ thống", "Hội thảo bảo mật: phòng chống xâm nhập, chiếm quyền điều khiển máy chủ",
    "The server was compromised in {year}; administrators should patch their systems and restore backups", "Hackers broke into a database, officials said; the investigation continues",
    "Nghị định quy định về kinh doanh đặt cược đua ngựa, đua chó và bóng đá quốc tế", "Thông tư hướng dẫn quản lý thuế đối với kinh doanh casino và trò chơi điện tử có thưởng",
]
CIVIC = [  # a portal's everyday
    "Đăng ký khai sinh trực tuyến", "Đăng ký hộ kinh doanh cá thể", "Đăng nhập hệ thống một cửa điện tử", "Nộp hồ sơ trực tuyến", "Tra cứu hồ sơ", "Hướng dẫn đăng ký tài khoản dịch vụ công",
    "UBND xã {place} thông báo lịch tiếp công dân tháng {month} năm {year}", "Quyết định số {day}/QĐ-UBND về việc công bố thủ tục hành chính", "Kế hoạch tuyển dụng viên chức ngành giáo dục năm {year}",
    "Hội nghị trực tuyến sơ kết công tác 6 tháng đầu năm {year}", "Chủ tịch UBND huyện {place} kiểm tra công tác phòng chống thiên tai", "Số lượt truy cập: 1.{day}4.{month}77", "Bản quyền thuộc UBND huyện {place}",
    "Công khai dự toán ngân sách nhà nước quý I năm {year}", "Danh mục dịch vụ công trực tuyến toàn trình", "Khảo sát mức độ hài lòng của người dân", "Tải về văn bản", "Xem thêm", "Liên hệ", "Trang chủ", "Giới thiệu",
    "Văn bản chỉ đạo điều hành", "Lịch công tác tuần của lãnh đạo", "Thông báo mời thầu gói thầu số {day}", "Hỏi đáp trực tuyến", "Phản ánh kiến nghị", "Tin tức sự kiện", "Ảnh hoạt động", "Video nổi bật",
    "Chương trình khuyến mại tập trung quốc gia, kích cầu tiêu dùng tại {place}", "Nạp tiền điện thoại, thanh toán tiền điện trực tuyến qua Cổng dịch vụ công", "Nhận thưởng thi đua khen thưởng năm {year}",
    "Hướng dẫn rút tiền bảo hiểm xã hội một lần", "Thủ tục hoàn trả tiền tạm ứng án phí", "Ứng dụng công dân số: tải app trên App Store và Google Play", "Hotline: 1900 {day}{month}", "Zalo Cổng dịch vụ công",
    "Trường Trung học cơ sở {place} tổ chức lễ khai giảng năm học mới", "Tiêm chủng mở rộng tháng {month}", "Bộ Y tế khuyến cáo phòng bệnh sốt xuất huyết", "Thời tiết {city} hôm nay có mưa rào",
    "Giải bóng chuyền truyền thống mừng Đảng mừng Xuân", "Người dân {place} đăng ký vay vốn ưu đãi phát triển sản xuất, lãi suất thấp", "Giải ngân vốn đầu tư công đạt {day}% kế hoạch", "Chuyển đổi số và ứng dụng blockchain trong quản lý",
    "Đội tuyển bóng đá nữ giành huy chương vàng", "Trận đấu diễn ra lúc 19 giờ trên sân vận động {place}", "Phường {place} ra mắt câu lạc bộ cờ vua, cờ tướng cho thiếu nhi", "Học sinh tham gia game show kiến thức pháp luật",
    "Annual report of the department, financial year {year}", "Contact us by phone or e-mail", "Sign up for our newsletter", "Log in to your account", "Privacy policy and terms of use", "Download the application form (PDF)",
]
TOPICS = {"gambling": GAMBLING, "pharma": PHARMA, "adult": ADULT, "loan": LOAN, "crypto": CRYPTO}
BODIES = ["ubnd", "so", "cong", "thanhtra", "congan", "benhvien", "thpt", "dangky", "bhxh", "thue", "haiquan", "kho", "thuvien", "baotang", "vien",
          "truong", "hoichuthapdo", "doan", "hoinongdan", "tuphap", "noivu", "xaydung", "giaothong", "nongnghiep", "dulich", "vanhoa", "yte"]
PLACES = ["hanoi", "haiphong", "danang", "cantho", "hue", "quangninh", "bacgiang", "thanhhoa", "nghean", "hatinh", "kontum", "gialai", "daklak", "lamdong",
          "binhduong", "dongnai", "longan", "tiengiang", "bentre", "camau", "kiengiang", "laocai", "yenbai", "sonla", "dienbien", "thaibinh", "namdinh"]
ENDS = ["gov.vn", "edu.vn", "org.vn", "com.vn", "vn", "net.vn", "com", "org"]
OWN_LINKS = ["/tin-tuc/{day}", "/van-ban", "https://dichvucong.gov.vn/", "/bai-viet/{month}", "https://www.facebook.com/ubnd", "#", "/login"]


def host(rng):
    return craft.fill(rng, rng.choice(HOSTS), SLOTS)


def address(rng):
    return f"https://{rng.choice(['', 'www.', ''])}{host(rng)}/{rng.choice(['', 'dang-ky', 'vn', 'home', '?ref=12'])}"


def planted(rng, topic, shape=None):
    """One planted stretch: a link, a row of links, a paragraph with and without a link."""
    words = [craft.disguise(rng, craft.fill(rng, rng.choice(TOPICS[topic]), SLOTS)) for _ in range(rng.randint(2, 8))]
    shape = shape or rng.choice(["link", "link", "row", "row", "text", "text", "bare", "list"])
    if shape == "link":
        return f'<p><a href="{address(rng)}">{words[0]}</a></p>'
    if shape == "row":
        return "<div>" + " | ".join(f'<a href="{address(rng)}">{w}</a>' for w in words) + "</div>"
    if shape == "list":
        return "<ul>" + "".join(f'<li><a href="{address(rng)}" title="{w}">{w}</a></li>' for w in words) + "</ul>"
    link = f' <a href="{address(rng)}">{words[0]}</a> ' if shape == "text" else " "
    return f"<p>{max(words, key=len)}{link}{words[-1]}</p>"


def boast(rng, side="fit"):
    text = fit_boast.boast(rng, side=side) if rng.random() < .8 or side != "fit" else craft.disguise(rng, craft.fill(rng, rng.choice(BOAST), SLOTS))
    return rng.choice(["<div><h1>{}</h1></div>", "<p>{}</p>", "<center><font color=red>{}</font></center>", "<div>{}</div>"]).format(text)


def reports(rng, side="fit"):
    """A page of what editors and the press say of break-ins and of other things."""
    rows = [f"<p>{fit_boast.report(rng, side)}</p>" for _ in range(rng.randint(1, 6))]
    return craft.page(rng.choice(["", fit_boast.report(rng, side), fit_boast.word(rng)]), "<hr>".join(rows))


def ordinary(rng, count):
    """A stretch of a portal: headlines with links, now and then about crime."""
    rows = []
    for _ in range(count):
        text = craft.fill(rng, rng.choice(NEWS if rng.random() < .5 else CIVIC), SLOTS)
        href = craft.fill(rng, rng.choice(OWN_LINKS), SLOTS)
        rows.append(rng.choice([f'<li><a href="{href}">{text}</a></li>', f"<p>{text}</p>", f'<h3><a href="{href}">{text}</a></h3><p>{text}</p>']))
    return "".join(rows)


def ordinary_page(rng):
    place = rng.choice(SLOTS["place"])
    return craft.page(f"Cổng thông tin điện tử xã {place}",
                      f'<header><img src="/logo.png" alt="Quốc huy"><h1>UBND xã {place}</h1></header><nav>{ordinary(rng, 6)}</nav>'
                      f'<main>{ordinary(rng, rng.randint(2, 30))}</main><footer>Địa chỉ: xã {place}. Điện thoại: 0{rng.randint(10**8, 10**9)}</footer>',
                      '<link rel="stylesheet" href="/css/site.css"><script src="/js/main.js"></script>')


def small_page(rng):
    """Short pages that are no boast: forms, notes, lists of files, hello worlds."""
    texts = [("Đăng nhập", '<form action="/login"><input name="u"><input type="password" name="p"><button>Đăng nhập</button></form>'),
             ("Index of /upload", '<h1>Index of /upload</h1><pre><a href="../">../</a> <a href="a.pdf">a.pdf</a></pre>'),
             ("Thông báo", f"<h1>Thông báo</h1><p>{craft.fill(rng, rng.choice(CIVIC + NEWS), SLOTS)}</p>"),
             ("Home", "<p>It works!</p>"), ("Redirecting", '<p>If you are not redirected, <a href="/vi/">click here</a>.</p>'),
             ("404 Not Found", "<h1>Not Found</h1><p>The requested URL was not found on this server.</p>"),
             (craft.fill(rng, rng.choice(NEWS), SLOTS), f"<h1>{craft.fill(rng, rng.choice(NEWS), SLOTS)}</h1><p>{craft.fill(rng, rng.choice(NEWS), SLOTS)}</p>"),
             ("Security advisory", "<h1>Security advisory</h1><p>A vulnerability allowed attackers to deface pages. Update now.</p>")]
    title, body = rng.choice(texts)
    return craft.page(title, body)


def boast_page(rng, side="fit"):
    lines = [fit_boast.boast(rng, side=side) if rng.random() < .7 or side != "fit" else craft.disguise(rng, craft.fill(rng, rng.choice(BOAST), SLOTS)) for _ in range(rng.randint(1, 6))]
    title = rng.choice([lines[0], fit_boast.boast(rng, 1, side), fit_boast.handle(rng), fit_boast.band(rng), f"Hacked by {rng.choice(SLOTS['handle'])}", f"-={rng.choice(SLOTS['team'])}=-", "0wn3d", "Hacked", lines[-1], "Hello", "Oops", ""])
    style = "<style>body{background:#000;color:#0f0;text-align:center;font-family:courier}</style>"
    media = rng.choice(["", '<img src="https://i.imgur.com/x7Kq.jpg" width=400>', '<embed src="https://www.youtube.com/v/zz" autostart="true">',
                        '<audio src="http://file.host.xyz/music.mp3" autoplay></audio>'])
    script = rng.choice(["", "<script>alert('Hacked!')</script>", "<script>var t='owned';function type(){setTimeout(type,50)}type()</script>"])
    shape = rng.choice(["centre", "table", "pre", "plain", "sections"])
    if shape == "centre":
        body = f"<center><h1>{lines[0]}</h1>{media}<br>" + "<br>".join(lines[1:]) + "</center>"
    elif shape == "table":
        body = f"<table width=100% height=100%><tr><td align=center>{media}<font color=red size=6>{'<br>'.join(lines)}</font></td></tr></table>"
    elif shape == "plain":
        return f"<html><title>{title}</title>{lines[0]}<br>{media}{'<br>'.join(lines[1:])}</html>"
    elif shape == "sections":
        body = f"<h2>{lines[0]}</h2>{media}" + "".join(f"<p>{line}</p>" for line in lines[1:])
        style = rng.choice([style, ""])
    else:
        body = f"<pre>{chr(10).join(lines)}</pre>{media}"
    return craft.page(title, body + script, style)


def body_host(rng):
    """The name of an office, a school, a firm."""
    return f"{rng.choice(['', 'www.', 'dichvucong.', 'mail.'])}{rng.choice(BODIES)}{rng.choice(['', '-', '.'])}{rng.choice(PLACES)}.{rng.choice(ENDS)}"


def short_page(rng, manual):
    """A sentence or two of a manual, alone: errors, notes and empty shells look like this."""
    words = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", manual).split()
    at, size = rng.randrange(max(1, len(words))), rng.choice([2, 4, 6, 10, 20, 40])
    text, title = " ".join(words[at:at + size]), rng.choice(["", "", " ".join(words[:3]), "Error", "Lỗi", "Thông báo"])
    return rng.choice([craft.page(title, f"<p>{text}</p>"), craft.page(title, f"<h1>{text}</h1>", "<style>body{text-align:center}</style>"),
                       f"<html><body>{text}</body></html>", craft.page(title, f'<img src="/logo.png"><center>{text}</center>')])
